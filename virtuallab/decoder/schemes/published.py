"""The published scheme: layers as samples, ten 75/25 splits balanced by rule.

Layers of one network are on both sides of such a split, so its accuracy is optimistic. The optimism
is the difference from the accuracy of splits that keep the layers of each subject together, and in
a paired design also the subjects of each pair. The inner folds, which choose settings only, and the
splits by layer are as published: they keep neither together.

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

from virtuallab.decoder.classifier import Classifier, GridName
from virtuallab.decoder.controls import OF_THE_DATA, evaluate_controls
from virtuallab.decoder.controls.common.control import ControlResult
from virtuallab.decoder.controls.shuffled_subjects import ShuffledSubjects
from virtuallab.decoder.features.samples import Rows, Samples, by_layer
from virtuallab.decoder.model_selection import fit, grid_search
from virtuallab.decoder.pairs import count_rules
from virtuallab.decoder.schemes.cross_validation import confusion_of, no_progress
from virtuallab.decoder.schemes.random_splits import splits_by_layer, splits_by_subject
from virtuallab.decoder.tables import accuracy_table, control_table
from virtuallab.decoder.task import DecodingTask
from virtuallab.decoder.uncertainty.intervals import balanced_accuracy, standard_error_interval
from virtuallab.text import count_noun

_INNER_FOLDS = 5
STEPS = 4  # splits by layer, splits by subject, shuffled subjects, other controls


def evaluate(task: DecodingTask, step: Callable[[], None] = no_progress) -> xr.Dataset:
    """Accuracy on layers, its optimism, and the controls of one task.

    ``step`` is called after each of :data:`STEPS`. The result has ``balanced_accuracy``,
    ``interval``, ``confusion``, ``optimism`` and ``control_*``.
    """
    analysis, layers = task.analysis, by_layer(task.features, task.observable)
    confusions, accuracies = [], []
    for splits in (splits_by_layer, splits_by_subject):
        rows = splits(layers, analysis.splits, task.seed)
        found = classified(task.classifier, layers, task.classes, rows, analysis.grid, task.seed)
        confusions.append(found.sum(0))
        accuracies.append(np.array([balanced_accuracy(each) for each in found]))
        step()
    table = accuracy_table(confusions[0], task.classes, task.confidence)
    table["balanced_accuracy"] = accuracies[0].mean()
    if len(accuracies[0]) > 1:
        bounds = standard_error_interval(accuracies[0], task.confidence)
        table["interval"] = ("bound", np.array(bounds))
    table["optimism"] = accuracies[0].mean() - accuracies[1].mean()
    shuffled = ShuffledSubjects().evaluate(replace(task, samples=layers))
    step()
    controls = control_table([shuffled, *_controls_by_subject(task)])
    step()
    return xr.merge([table, controls], compat="equals", join="exact")


def _controls_by_subject(task: DecodingTask) -> list[ControlResult]:
    """Results of controls that do not depend on the scheme, with one sample a subject."""
    count = count_rules(task.labels.tolist(), task.samples.pairs)
    fewest, needed = min(count.values()), task.analysis.folds
    if fewest < needed:  # random splits need fewer
        has = count_noun(fewest, "subject")
        reason = f"the rarest rule has {has}, and each rule needs {needed}"
        return [
            ControlResult.not_evaluated(name, "chance", len(task.labels), reason)
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

    If a rule has fewer than five training samples, there are as many folds as it has samples.
    """
    confusions = []
    for train, test in splits:
        fewest = int(np.unique(samples.labels[train], return_counts=True)[1].min())
        inner = StratifiedKFold(min(_INNER_FOLDS, fewest))  # not shuffled, as published
        search = grid_search(classifier, samples, classifier.grid(grid, samples), inner, seed)
        predicted = fit(search, samples.take(train)).predict(samples.values[test])
        confusions.append(confusion_of(samples.labels[test], predicted, classes))
    return np.stack(confusions)
