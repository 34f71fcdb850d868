"""The published scheme's verdict, with its optimism and its controls beside it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import xarray as xr

from virtuallab.decoder import paper
from virtuallab.decoder.analysis import Analysis
from virtuallab.decoder.controls import OF_THE_DATA, Check, Question, ask_all, shuffled_subjects
from virtuallab.decoder.controls.check import not_asked
from virtuallab.decoder.controls.counted import subjects_of
from virtuallab.decoder.intervals import balanced_accuracy, standard_error_interval
from virtuallab.decoder.samples import by_layer
from virtuallab.decoder.strict import nothing
from virtuallab.decoder.verdict import of_checks, of_confusion


def ask_as_published(
    question: Question, analysis: Analysis, step: Callable[[], None] = nothing
) -> xr.Dataset:
    """Identify layers, and whole subjects by the same splits, and ask what must be at chance.

    Parameters
    ----------
    question : Question
        Its samples are whole subjects; layers are made of its features.
    analysis : Analysis
    step : callable
        Called after each of :data:`PUBLISHED_STEPS`.
    """
    classes, seed = question.classes, question.seed
    layers = by_layer(question.features, question.observable)
    found = []
    for split in (paper.splits_by_layer, paper.splits_by_subject):
        rows = split(layers, analysis.splits, seed)
        came = paper.published(question.classifier, layers, classes, rows, analysis.grid, seed)
        found.append(came.confusions)
        step()
    by_layers, by_subjects = found
    accuracies = np.array([balanced_accuracy(each) for each in by_layers])
    grouped = np.array([balanced_accuracy(each) for each in by_subjects])
    verdict = of_confusion(by_layers.sum(0), classes, analysis.confidence)
    verdict["balanced_accuracy"] = accuracies.mean()
    if len(accuracies) > 1:
        bounds = standard_error_interval(accuracies, analysis.confidence)
        verdict["interval"] = ("bound", np.array(bounds))
    verdict["optimism"] = accuracies.mean() - grouped.mean()
    shuffled = shuffled_subjects.ask(replace(question, samples=layers), analysis.splits)
    step()
    checks = of_checks([shuffled, *_of_the_data(question)])
    step()
    return xr.merge([verdict, checks], compat="equals", join="exact")


PUBLISHED_STEPS = 4  # splits by layer, splits by subject, shuffled subjects, other controls


def _of_the_data(question: Question) -> list[Check]:
    """Ask of the subjects, one sample each, what must be at chance under any scheme."""
    fewest = int(subjects_of(question).min())
    if fewest < question.folds:  # random splits need fewer
        reason = f"{fewest} subjects of a rule, of {question.folds} needed"
        return [not_asked(name, "chance", len(question.labels), reason) for name in OF_THE_DATA]
    return ask_all(question, OF_THE_DATA)
