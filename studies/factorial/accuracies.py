"""Balanced accuracies of predictions, with intervals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from studies.factorial.subjects import OF_KINDS, Recorded
from virtuallab.decoder.pairs import pair_effect
from virtuallab.decoder.schemes.cross_validation import confusion_of
from virtuallab.decoder.uncertainty import comparison
from virtuallab.decoder.uncertainty.intervals import balanced_accuracy, interval

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


def strict_accuracy(recorded: Recorded, draws: list[np.ndarray]) -> Accuracy:
    """Accuracy over draws of the folds; pairs are clusters."""
    classes = recorded.classes
    confusion = np.mean([confusion_of(recorded.labels, each, classes) for each in draws], axis=0)
    correct = np.mean([each == recorded.labels for each in draws], axis=0)
    effect = pair_effect(correct, recorded.labels, np.asarray(recorded.features["pair"]))
    low, high = interval(confusion, CONFIDENCE, repeats=len(draws), effect=effect)
    return Accuracy(balanced_accuracy(confusion), low, high)


def held_out_accuracy(recorded: Recorded, split: str, predicted: np.ndarray) -> Accuracy:
    """Accuracy over all groups of a split; kinds are clusters if groups consist of them."""
    labels, classes = recorded.labels, recorded.classes
    clusters = recorded.kinds if split in OF_KINDS else np.asarray(recorded.features["pair"])
    effect = pair_effect((predicted == labels).astype(np.float64), labels, clusters)
    confusion = confusion_of(labels, predicted, classes)
    low, high = interval(confusion, CONFIDENCE, repeats=None, effect=effect)
    return Accuracy(balanced_accuracy(confusion), low, high)


def group_accuracies(recorded: Recorded, split: str, predicted: np.ndarray) -> dict[str, Accuracy]:
    """Accuracy on each group of a split; pairs are clusters.

    A group of fewer than :data:`_FEWEST` pairs has no interval: that of two pairs is 0 to 1.
    """
    found, groups = {}, recorded.groups(split)
    pairs = np.asarray(recorded.features["pair"])
    for name in np.unique(groups):
        rows = groups == name
        labels = recorded.labels[rows]
        correct = (predicted[rows] == labels).astype(np.float64)
        confusion = confusion_of(labels, predicted[rows], recorded.classes)
        effect = pair_effect(correct, labels, pairs[rows])
        low, high = interval(confusion, CONFIDENCE, repeats=None, effect=effect)
        if len(np.unique(pairs[rows])) < _FEWEST:
            low = high = np.nan
        found[str(name)] = Accuracy(balanced_accuracy(confusion), low, high)
    return found


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
    labels = recorded.labels
    here, there = (np.mean([each == labels for each in draws], axis=0) for draws in (one, other))
    repeats = min(len(one), len(other))
    pairs = np.asarray(recorded.features["pair"]) if clusters is None else clusters
    return Accuracy(
        *comparison.difference(here, there, labels, CONFIDENCE, repeats=repeats, pairs=pairs)
    )
