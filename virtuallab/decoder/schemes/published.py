"""The published scheme: layers as samples, ten 75/25 splits balanced by rule.

Layers of one network are on both sides of such a split, so its accuracy is optimistic. The optimism
is measured by the same splits with the layers of each subject kept together.

References
----------
Nayebi et al. 2020, "Identifying Learning Rules From Neural Network Observables", section 4.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import jaxtyping as jt
import numpy as np
import xarray as xr
from sklearn.model_selection import StratifiedKFold

from virtuallab.decoder.analysis import Analysis
from virtuallab.decoder.classifier import Classifier, GridName
from virtuallab.decoder.controls import OF_THE_DATA, evaluate_controls
from virtuallab.decoder.controls.common.control import ControlResult
from virtuallab.decoder.controls.shuffled_subjects import ShuffledSubjects
from virtuallab.decoder.features.samples import Rows, Samples, by_layer
from virtuallab.decoder.model_selection import fit, grid_search
from virtuallab.decoder.schemes.cross_validation import confusion_of, no_progress
from virtuallab.decoder.schemes.random_splits import splits_by_layer, splits_by_subject
from virtuallab.decoder.tables import control_table, verdict_of
from virtuallab.decoder.task import DecodingTask
from virtuallab.decoder.uncertainty.intervals import balanced_accuracy, standard_error_interval
from virtuallab.text import count_noun

_INNER_FOLDS = 5
STEPS = 4  # splits by layer, splits by subject, shuffled subjects, other controls


def evaluate(
    task: DecodingTask, analysis: Analysis, step: Callable[[], None] = no_progress
) -> xr.Dataset:
    """Classify layers, classify them with subjects kept together, and evaluate the controls.

    Parameters
    ----------
    task : DecodingTask
        Its samples are whole subjects; layers are made of its features.
    analysis : Analysis
    step : callable
        Called after each of :data:`STEPS`.

    Returns
    -------
    xr.Dataset
        ``balanced_accuracy`` with its ``interval``, ``confusion``, ``optimism`` and ``control_*``.
    """
    layers = by_layer(task.features, task.observable)
    of_splits = []
    for splits in (splits_by_layer, splits_by_subject):
        rows = splits(layers, analysis.splits, task.seed)
        of_splits.append(
            classified(task.classifier, layers, task.classes, rows, analysis.grid, task.seed)
        )
        step()
    by_layers, by_subjects = of_splits
    accuracies = np.array([balanced_accuracy(each) for each in by_layers])
    grouped = np.array([balanced_accuracy(each) for each in by_subjects])
    verdict = verdict_of(by_layers.sum(0), task.classes, analysis.confidence)
    verdict["balanced_accuracy"] = accuracies.mean()
    if len(accuracies) > 1:
        bounds = standard_error_interval(accuracies, analysis.confidence)
        verdict["interval"] = ("bound", np.array(bounds))
    verdict["optimism"] = accuracies.mean() - grouped.mean()
    shuffled = ShuffledSubjects().evaluate(replace(task, samples=layers), analysis.splits)
    step()
    controls = control_table([shuffled, *_of_the_data(task)])
    step()
    return xr.merge([verdict, controls], compat="equals", join="exact")


def _of_the_data(task: DecodingTask) -> list[ControlResult]:
    """Evaluate the controls that hold under any scheme, with one sample a subject."""
    fewest = int(task.subjects_per_rule.min())
    if fewest < task.folds:  # random splits need fewer
        reason = (
            f"the rarest rule has {count_noun(fewest, 'subject')}, and each rule needs {task.folds}"
        )
        return [
            ControlResult.not_asked(name, "chance", len(task.labels), reason)
            for name in OF_THE_DATA
        ]
    return evaluate_controls(task, OF_THE_DATA)


def classified(
    classifier: Classifier,
    samples: Samples,
    classes: list[str],
    splits: Iterator[tuple[Rows, Rows]],
    grid: GridName,
    seed: int,
) -> jt.Float[np.ndarray, "split true predicted"]:
    """Confusion matrix of each split, with settings chosen by five unshuffled inner folds.

    Where a rule has fewer than five samples to train on, there are as many folds as it has samples.
    """
    confusions = []
    for train, test in splits:
        fewest = int(np.unique(samples.labels[train], return_counts=True)[1].min())
        inner = StratifiedKFold(min(_INNER_FOLDS, fewest))  # not shuffled, as published
        search = grid_search(classifier, samples, classifier.grid(grid, samples), inner, seed)
        predicted = fit(search, samples.take(train)).predict(samples.values[test])
        confusions.append(confusion_of(samples.labels[test], predicted, classes))
    return np.stack(confusions)
