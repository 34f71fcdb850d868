"""Accuracies of a decoder for its metadata: at each level of the rules, and on held-out kinds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial

import numpy as np
import xarray as xr

from virtuallab.decoder import Analysis
from virtuallab.decoder.features.samples import Samples
from virtuallab.decoder.levels import Level, coarse_confusion, informative_levels
from virtuallab.decoder.pairs import pair_effect
from virtuallab.decoder.prediction import Prediction
from virtuallab.decoder.schemes.cross_validation import HeldOutGroup
from virtuallab.decoder.uncertainty.intervals import balanced_accuracy, interval
from virtuallab.store.decoders.metadata import KindAccuracy, LevelAccuracy


def level_accuracies(
    levels: Sequence[Level],
    confusion: np.ndarray,
    prediction: Prediction,
    samples: Samples,
    rules: list[str],
    analysis: Analysis,
) -> Iterator[LevelAccuracy]:
    """Yield the levels that divide the rules, with the interval of the accuracy at each.

    Parameters
    ----------
    levels : sequence of Level
    confusion : array, (true, predicted)
        Of the rules.
    prediction : Prediction
        Of the samples, each by a decoder that was not trained on it.
    samples : Samples
    rules : list of str
        Sorted.
    analysis : Analysis
        With the confidence, and the draws of the folds.
    """
    measured = partial(interval, confidence=analysis.confidence, repeats=analysis.repeats)
    coords = {"true_rule": rules, "predicted_rule": rules}
    counts = xr.DataArray(confusion, coords, ("true_rule", "predicted_rule"))
    predicted = prediction.rule.to_numpy().tolist()
    for level in informative_levels(levels, rules):
        correct = [
            level.group_of(one) == level.group_of(other)
            for one, other in zip(predicted, samples.labels.tolist(), strict=True)
        ]
        # Pairs may be more alike at a level than they are for rules.
        effect = pair_effect(np.array(correct, dtype=float), samples.labels, samples.pairs)
        coarse = coarse_confusion(counts, level).to_numpy()
        yield LevelAccuracy(level, measured(coarse, effect=effect))


def kind_accuracies(
    results: Mapping[str, HeldOutGroup], confidence: float
) -> Iterator[KindAccuracy]:
    """Yield the accuracy on kinds that were held out, for each choice of references.

    Parameters
    ----------
    results : mapping from choice to HeldOutGroup
        Of :func:`virtuallab.decoder.schemes.held_out_kinds.cross_validate_kinds`.
    confidence : float
    """
    for choice, (confusion, effect) in results.items():
        bounds = interval(confusion, confidence, repeats=None, effect=effect)
        yield KindAccuracy(choice, balanced_accuracy(confusion), bounds)
