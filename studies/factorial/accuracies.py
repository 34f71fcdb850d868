"""Balanced accuracies of predictions, with intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from studies.factorial.subjects import OF_KINDS, Recorded
from virtuallab.decoder.pairs import pair_effect
from virtuallab.decoder.schemes.cross_validation import confusion_of
from virtuallab.decoder.uncertainty import comparison
from virtuallab.decoder.uncertainty.intervals import balanced_accuracy, dependence, interval

CONFIDENCE: Final = 0.95
_FEWEST: Final = 6


@dataclass(frozen=True)
class Accuracy:
    """A balanced accuracy with its interval.

    Parameters
    ----------
    value, low, high : float
        Bounds are NaN where too few pairs were tested for an interval.
    """

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        if not np.isfinite(self.low):
            return f"{self.value:.2f}"
        return f"{self.value:.2f} ({self.low:.2f} to {self.high:.2f})"

    @property
    def signed(self) -> str:
        """A difference, with its sign."""
        return f"{self.value:+.2f} ({self.low:+.2f} to {self.high:+.2f})"


def identified(recorded: Recorded, draws: Sequence[np.ndarray]) -> np.ndarray:
    """Share of the draws of the folds in which each subject was identified, (subject,)."""
    found: np.ndarray = np.mean([each == recorded.labels for each in draws], axis=0)
    return found


def accuracy_of(
    labels: np.ndarray,
    draws: Sequence[np.ndarray],
    classes: Sequence[str],
    clusters: np.ndarray,
    *,
    repeats: int | None = None,
) -> Accuracy:
    """Balanced accuracy of predictions.

    Parameters
    ----------
    labels : array of str, (subject,)
    draws : sequence of array of str, (subject,)
        Predicted rules, over which the accuracy is averaged.
    classes : sequence of str
        All rules, sorted.
    clusters : array, (subject,)
        Subjects of a cluster are not independent.
    repeats : int, optional
        Number of draws of the folds; None if no folds were drawn, but groups held out.
    """
    confusion = np.mean([confusion_of(labels, each, classes) for each in draws], axis=0)
    effect = pair_effect(np.mean([each == labels for each in draws], axis=0), labels, clusters)
    bounds = interval(confusion, CONFIDENCE, repeats=repeats, effect=effect)
    return Accuracy(balanced_accuracy(confusion), *bounds)


def strict_accuracy(recorded: Recorded, draws: list[np.ndarray]) -> Accuracy:
    """Accuracy over draws of the folds; pairs are clusters."""
    return accuracy_of(recorded.labels, draws, recorded.classes, recorded.pairs, repeats=len(draws))


def held_out_accuracy(recorded: Recorded, split: str, predicted: np.ndarray) -> Accuracy:
    """Accuracy over all groups of a split; kinds are clusters if groups consist of them."""
    clusters = recorded.kinds if split in OF_KINDS else recorded.pairs
    return accuracy_of(recorded.labels, [predicted], recorded.classes, clusters)


def group_accuracies(recorded: Recorded, split: str, predicted: np.ndarray) -> dict[str, Accuracy]:
    """Accuracy on each group of a split; pairs are clusters.

    A group of fewer than :data:`_FEWEST` pairs has no interval: that of two pairs is 0 to 1.
    """
    found, groups = {}, recorded.groups(split)
    for name in np.unique(groups):
        rows = groups == name
        pairs = recorded.pairs[rows]
        each = accuracy_of(recorded.labels[rows], [predicted[rows]], recorded.classes, pairs)
        if len(np.unique(pairs)) < _FEWEST:
            each = Accuracy(each.value, np.nan, np.nan)
        found[str(name)] = each
    return found


def over_bootstrap(value: float, drawn: np.ndarray, repeats: int = 1) -> Accuracy:
    """Value with the quantiles of bootstrap samples, widened for decoders that share subjects.

    Parameters
    ----------
    value : float
    drawn : array, (sample,)
    repeats : int
        Number of draws of the folds over which the value is averaged.
    """
    quantiles = np.quantile(drawn, ((1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2))
    low, high = value + np.sqrt(dependence(repeats)) * (quantiles - value)
    return Accuracy(value, float(low), float(high))


def difference(
    recorded: Recorded,
    one: list[np.ndarray],
    other: list[np.ndarray],
    clusters: np.ndarray | None = None,
) -> Accuracy:
    """Accuracy of some predictions minus that of others of the same subjects.

    Parameters
    ----------
    recorded : Recorded
    one, other : list of array of str, (subject,)
        Predicted rules, one array for each draw of the folds.
    clusters : array, (subject,), optional
        Subjects that are not independent; pairs by default.
    """
    return Accuracy(
        *comparison.difference(
            identified(recorded, one),
            identified(recorded, other),
            recorded.labels,
            CONFIDENCE,
            repeats=min(len(one), len(other)),
            pairs=recorded.pairs if clusters is None else clusters,
        )
    )
