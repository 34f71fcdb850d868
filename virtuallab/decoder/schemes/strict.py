"""The strict scheme: accuracy on subjects held out of training, with controls and diagnostics."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

import numpy as np
import xarray as xr

from virtuallab.decoder.analysis import Analysis
from virtuallab.decoder.controls import evaluate_controls, strict_controls
from virtuallab.decoder.diagnostics.impurity_importance import impurity_importance
from virtuallab.decoder.diagnostics.metaparameters import metaparameters
from virtuallab.decoder.diagnostics.permutation_importance import permutation_importance
from virtuallab.decoder.diagnostics.reliability import reliability
from virtuallab.decoder.features.columns import columns_of
from virtuallab.decoder.features.samples import Samples
from virtuallab.decoder.prediction import Prediction
from virtuallab.decoder.schemes import splits
from virtuallab.decoder.schemes.cross_validation import (
    cross_validate_calibrated,
    cross_validate_groups,
    no_progress,
)
from virtuallab.decoder.schemes.referenced import cross_validate_referenced
from virtuallab.decoder.tables import (
    accuracy_table,
    control_table,
    held_out_table,
    referenced_table,
)
from virtuallab.decoder.task import DecodingTask
from virtuallab.decoder.uncertainty.novelty import open_set_auroc
from virtuallab.vocabulary import SUBJECT

_BINS = 10


def evaluate(
    task: DecodingTask, outliers: Samples | None, step: Callable[[], None] = no_progress
) -> xr.Dataset:
    """Accuracy on held-out subjects, predictions, controls and diagnostics of one task.

    Outliers are samples of subjects whose rules are not among the classes. ``step`` is called after
    each of :func:`n_steps`. :func:`virtuallab.decoder.evaluation.evaluate` lists the variables.
    """
    analysis, samples, classes = task.analysis, task.samples, task.classes
    result, prediction = cross_validate_calibrated(
        task.classifier,
        samples,
        classes,
        folds=analysis.folds,
        inner_folds=analysis.inner_folds,
        seed=task.seed,
        repeats=analysis.repeats,
        outliers=outliers,
        step=step,
    )
    truth = np.searchsorted(classes, samples.labels)
    parts = [
        accuracy_table(
            result.confusion,
            classes,
            task.confidence,
            repeats=analysis.repeats,
            effect=result.pair_effect,
        ),
        _predictions(prediction, truth, analysis).assign_coords(subject=task.features["subject"]),
        control_table(evaluate_controls(replace(task, result=result), step=step)),
    ]
    if samples.pairs is not None:
        parts.append(xr.Dataset({"pair_effect": result.pair_effect}))
    diagnostics = (
        partial(_held_out, task),
        partial(_referenced, task),
        partial(_open_set, task, outliers),
        partial(_importance, task),
        partial(_metaparameters, task),
    )
    for diagnostic in diagnostics:
        parts.append(diagnostic())
        step()
    return xr.merge(parts, compat="equals", join="exact")


def n_steps(analysis: Analysis) -> int:
    """Number of steps of one task: folds, further draws, controls, and five diagnostics."""
    return analysis.folds + analysis.repeats - 1 + len(strict_controls()) + 5


def _predictions(prediction: Prediction, truth: np.ndarray, analysis: Analysis) -> xr.Dataset:
    """Predictions of each subject, their reliability, and the coverage of prediction sets."""
    probability = prediction.probability.to_numpy()
    found = reliability(probability, truth)
    sets = prediction.sets(analysis.coverage).to_numpy()
    inside = sets[np.arange(len(truth)), truth]
    bins = np.full((3, _BINS), np.nan)  # a fixed number, so that tables can be joined
    for row, values in enumerate((found.stated, found.observed, found.count)):
        bins[row, : len(values)] = values
    dims = ("subject", "predicted_rule")
    return xr.Dataset(
        {
            "probability": (dims, probability),
            "p_value": (dims, prediction.p_value.to_numpy()),
            "familiar": ("subject", prediction.novelty_p_value.to_numpy()),
            "reliability_stated": ("bin", bins[0]),
            "reliability_observed": ("bin", bins[1]),
            "reliability_count": ("bin", bins[2]),
            "calibration_error": found.error,
            "calibration_error_least": found.least_error,
            "brier": found.brier,
            "coverage": inside.mean(),
            "set_size": sets.sum(1).mean(),
            "empty_sets": 1 - sets.any(1).mean(),
        }
    )


def _held_out(task: DecodingTask) -> xr.Dataset:
    """Accuracy on each group of each split, by a decoder trained on the other groups."""
    found = {
        f"{split}: {group}": of_group
        for split in _splits(task)
        for group, of_group in cross_validate_groups(
            task.classifier,
            task.samples,
            splits.groups_of(task.features, split),
            task.classes,
            inner_folds=task.analysis.inner_folds,
            seed=task.seed,
        ).items()
    }
    return held_out_table(found, task.confidence) if found else xr.Dataset()


def _referenced(task: DecodingTask) -> xr.Dataset:
    """Accuracy on held-out groups, relative to each choice of references of their kinds."""
    if not task.analysis.references:
        return xr.Dataset()
    kinds = splits.kinds_of(task.features)
    found = {
        (choice, f"{split}: {group}"): of_group
        for split in _splits(task)
        if split in splits.OF_KINDS
        for (choice, group), of_group in cross_validate_referenced(
            task.classifier,
            task.samples,
            kinds,
            splits.groups_of(task.features, split),
            task.classes,
            inner_folds=task.analysis.inner_folds,
            seed=task.seed,
        ).items()
    }
    return referenced_table(found, task.confidence) if found else xr.Dataset()


def _splits(task: DecodingTask) -> Iterator[str]:
    """Yield the splits of the analysis that recorded subjects can be divided by."""
    for split in task.analysis.held_out:
        if splits.check(task.features, split, task.analysis.inner_folds) is None:
            yield split


def _open_set(task: DecodingTask, outliers: Samples | None) -> xr.Dataset:
    """Novelty detection of each rule, left out in turn; needs three rules."""
    if len(task.classes) < 3:
        return xr.Dataset()
    areas = [
        open_set_auroc(task.samples, rule, outliers, folds=task.analysis.folds, seed=task.seed)
        for rule in task.classes
    ]
    return xr.Dataset({"left_out_auroc": ("true_rule", np.array(areas))})


def _importance(task: DecodingTask) -> xr.Dataset:
    """Importance of statistics, stages and depths; empty for a table of other features."""
    if "change" not in task.features:
        return xr.Dataset()
    columns = columns_of(task.features, task.observable)
    permuted = permutation_importance(task, columns)
    impurity = impurity_importance(task.samples, columns, seed=task.seed)
    return permuted.merge(impurity).drop_attrs(deep=False)


def _metaparameters(task: DecodingTask) -> xr.Dataset:
    """Accuracy of the estimates of numbers that differ within each rule."""
    if task.subjects is None:
        return xr.Dataset()
    return metaparameters(
        task.samples,
        task.subjects.sel({SUBJECT: task.features[SUBJECT].values}),
        task.classes,
        folds=task.analysis.folds,
        confidence=task.confidence,
        seed=task.seed,
    )
