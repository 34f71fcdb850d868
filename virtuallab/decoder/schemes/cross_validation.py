"""Cross-validation by subject: every subject is identified by a decoder trained on others.

Outer folds are stratified by rule and shuffled; subjects of one pair are in one fold. Imputation,
scaling and the choice of settings use the training subjects of each fold only. The accuracy depends
on the draw of the folds (with a standard deviation of up to 0.05 for 40 subjects), so it is
averaged over several draws. It estimates the accuracy on new subjects of a decoder trained on a
sample of this size, averaged over samples, and not the accuracy of the decoder that is fitted to
these subjects.

References
----------
Bates, Hastie and Tibshirani 2024, "Cross-Validation: What Does It Estimate and How Well Does It Do
It?".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import jaxtyping as jt
import numpy as np
import xarray as xr
from sklearn.metrics import confusion_matrix

from virtuallab.decoder.classifier import Classifier
from virtuallab.decoder.features.samples import Samples
from virtuallab.decoder.fitted_decoder import FittedDecoder
from virtuallab.decoder.model_selection import held_out, nested, splits_of, stratified
from virtuallab.decoder.pairs import pair_effect
from virtuallab.decoder.prediction import Prediction
from virtuallab.decoder.schemes.splits import outside_and_inside


def no_progress() -> None:
    """Do nothing, as the default of ``step`` callbacks."""


class HeldOutGroup(NamedTuple):
    """Confusion matrix of a group that was held out, and the effect of its pairs."""

    confusion: jt.Float[np.ndarray, "true predicted"]
    pair_effect: float

    @classmethod
    def pooled(cls, groups: Iterable[HeldOutGroup]) -> HeldOutGroup:
        """Sum of the confusion matrices of groups, and the effect of groups as clusters.

        Subjects of one group are tested by one decoder, and resemble one another, so that the
        accuracy on a further group varies with the number of groups. The effect is that of
        :func:`virtuallab.decoder.pairs.pair_effect` with each group in the place of a pair.
        """
        counts = np.stack([each.confusion for each in groups])
        group, rule, predicted = (places.astype(int) for places in np.nonzero(counts))
        # One row a subject: its effect depends on whether it was identified, not on the order.
        times = counts[group, rule, predicted].astype(int)
        correct = np.repeat((rule == predicted).astype(np.float64), times)
        effect = pair_effect(correct, np.repeat(rule, times), np.repeat(group, times))
        return cls(counts.sum(0), effect)


@dataclass(frozen=True)
class CrossValidated:
    """Result of testing every subject once in each draw of the folds.

    Parameters
    ----------
    confusion : array, (true, predicted)
        Counts, averaged over draws, so that each row sums to the subjects of its rule.
    probability : array, (sample, rule)
        Scores, averaged over draws.
    correct : array, (sample,)
        Share of the draws in which the sample was identified.
    pair_effect : float
        See :func:`virtuallab.decoder.pairs.pair_effect`; 1 if the design is not paired.
    """

    confusion: jt.Float[np.ndarray, "true predicted"]
    probability: jt.Float[np.ndarray, "sample rule"]
    correct: jt.Float[np.ndarray, " sample"]
    pair_effect: float = 1.0

    @classmethod
    def of(
        cls, labels: np.ndarray, probability: np.ndarray, classes: Sequence[str]
    ) -> CrossValidated:
        """Result of one draw of the folds, from the scores of each sample."""
        predicted = np.array(classes, dtype=object)[probability.argmax(1)]
        return cls(
            confusion_of(labels, predicted, classes),
            probability,
            (predicted == labels).astype(np.float64),
        )

    @classmethod
    def mean(cls, draws: Sequence[CrossValidated], samples: Samples) -> CrossValidated:
        """Mean over draws of the folds, with the effect of the pairs of the samples."""
        means = {
            name: np.mean([getattr(each, name) for each in draws], axis=0)
            for name in ("confusion", "probability", "correct")
        }
        effect = pair_effect(means["correct"], samples.labels, samples.pairs)
        return cls(**means, pair_effect=effect)


def cross_validate(
    classifier: Classifier,
    samples: Samples,
    classes: list[str],
    *,
    folds: int,
    inner_folds: int,
    seed: int,
    select: bool = True,
    repeats: int = 1,
) -> CrossValidated:
    """Result of decoders that are tested on subjects held out of training.

    Parameters
    ----------
    classifier : Classifier
    samples : Samples
        One a subject.
    classes : list of str
        All rules, sorted.
    folds, inner_folds : int
        Groups of subjects that are tested, and of training subjects that choose settings.
    seed : int
        Seed of the folds and of the classifier.
    select : bool
        Choose settings by inner folds; otherwise use the middle of the grid.
    repeats : int
        Draws of the folds; each chooses settings anew.
    """
    draws = []
    for draw in range(seed, seed + repeats):
        if select:
            estimator = nested(classifier, samples, inner_folds, draw)
        else:
            grid = classifier.grid("strict", samples)
            estimator = classifier.estimator(samples, draw).set_params(**grid[len(grid) // 2])
        splitter = stratified(folds, draw, paired=samples.pairs is not None)
        scores = held_out(estimator, samples, splitter, "predict_proba")
        draws.append(CrossValidated.of(samples.labels, scores, classes))
    return CrossValidated.mean(draws, samples)


def cross_validate_calibrated(
    classifier: Classifier,
    samples: Samples,
    classes: list[str],
    *,
    folds: int,
    inner_folds: int,
    seed: int,
    repeats: int = 1,
    outliers: Samples | None = None,
    step: Callable[[], None] = no_progress,
) -> tuple[CrossValidated, Prediction]:
    """Result of :func:`cross_validate`, and calibrated predictions of the same subjects.

    The prediction of a subject is that of one decoder, trained and calibrated on the others in the
    first draw of the folds. A mean over draws would be that of several decoders, while a new
    recording is decoded by one.

    Parameters
    ----------
    classifier, samples, classes, folds, inner_folds, seed, repeats
        As for :func:`cross_validate`.
    outliers : Samples, optional
        Samples of rules outside the classes; see :class:`FittedDecoder`.
    step : callable
        Called after each fold of the first draw, and after each further draw.
    """
    parts: list[xr.Dataset] = []
    rows: list[np.ndarray] = []
    for train, test in splits_of(samples, folds, seed):
        decoder = FittedDecoder.train(
            classifier,
            samples.take(train),
            classes,
            inner_folds=inner_folds,
            seed=seed,
            outliers=outliers and outliers.apart_from(samples.take(test)),
        )
        parts.append(decoder.predict(samples.values[test]).dataset)
        rows.append(test)
        step()
    order = np.argsort(np.concatenate(rows))
    prediction = Prediction(xr.concat(parts, dim="subject").isel(subject=order))
    draws = [CrossValidated.of(samples.labels, prediction.probability.to_numpy(), classes)]
    for draw in range(seed + 1, seed + repeats):
        further = cross_validate(
            classifier, samples, classes, folds=folds, inner_folds=inner_folds, seed=draw
        )
        draws.append(further)
        step()
    return CrossValidated.mean(draws, samples), prediction


def cross_validate_groups(
    classifier: Classifier,
    samples: Samples,
    group: np.ndarray,
    classes: list[str],
    *,
    inner_folds: int,
    seed: int,
) -> Mapping[str, HeldOutGroup]:
    """Result of each group, such as an architecture, by a decoder trained on all others.

    Nor is it trained on subjects of the pairs that it tests
    (:func:`virtuallab.decoder.schemes.splits.outside_and_inside`). Other parameters are those of
    :func:`cross_validate`.
    """
    estimator = nested(classifier, samples, inner_folds, seed)
    parts = list(outside_and_inside(group, samples.labels, samples.pairs, seed))
    predicted = held_out(estimator, samples, parts, "predict")
    found = {}
    for name in np.unique(group):
        rows = np.flatnonzero(group == name)
        mine, names = samples.take(rows), predicted[rows]
        correct = (names == mine.labels).astype(np.float64)
        found[str(name)] = HeldOutGroup(
            confusion_of(mine.labels, names, classes),
            pair_effect(correct, mine.labels, mine.pairs),
        )
    return found


def confusion_of(
    true: np.ndarray, predicted: np.ndarray, classes: Sequence[str]
) -> jt.Float[np.ndarray, "true predicted"]:
    """Confusion matrix: counts, rows true and columns predicted."""
    counts = confusion_matrix(true.astype(str), predicted.astype(str), labels=list(classes))
    return np.asarray(counts, dtype=np.float64)
