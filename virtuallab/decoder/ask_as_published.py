"""The published scheme's verdict, with its optimism and its controls beside it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import xarray as xr

from virtuallab.decoder import paper
from virtuallab.decoder.analysis import Analysis
from virtuallab.decoder.beside import Beside
from virtuallab.decoder.classifier import Classifier
from virtuallab.decoder.controls import OF_THE_DATA, Check, Question, ask_all, shuffled_subjects
from virtuallab.decoder.controls.check import not_asked
from virtuallab.decoder.intervals import balanced_accuracy, standard_error_interval
from virtuallab.decoder.samples import by_layer, by_subject
from virtuallab.decoder.verdict import of_checks, of_confusion


def ask_as_published(
    features: xr.Dataset,
    observable: str,
    classifier: Classifier,
    analysis: Analysis,
    classes: list[str],
    seed: int,
    beside: Beside,
) -> xr.Dataset:
    """Identify layers, and whole subjects by the same splits, and ask what must be at chance."""
    samples = by_layer(features, observable)
    by_layers, by_subjects = (
        paper.published(
            classifier, samples, classes, split(samples, analysis.splits, seed), analysis.grid, seed
        ).confusions
        for split in (paper.splits_by_layer, paper.splits_by_subject)
    )
    accuracies = np.array([balanced_accuracy(each) for each in by_layers])
    grouped = np.array([balanced_accuracy(each) for each in by_subjects])
    verdict = of_confusion(by_layers.sum(0), classes, analysis, seed)
    verdict["balanced_accuracy"] = accuracies.mean()
    if len(accuracies) > 1:
        bounds = standard_error_interval(accuracies, analysis.confidence)
        verdict["interval"] = ("bound", np.array(bounds))
    verdict["optimism"] = accuracies.mean() - grouped.mean()
    question = Question(
        classifier=classifier,
        features=features,
        samples=samples,
        observable=observable,
        classes=classes,
        folds=analysis.folds,
        inner_folds=analysis.inner_folds,
        seed=seed,
        permutations=analysis.permutations,
        confidence=analysis.confidence,
        performance=beside.performance,
        subjects=beside.subjects,
    )
    checks = [shuffled_subjects.ask(question, analysis.splits), *_of_the_data(question)]
    return xr.merge([verdict, of_checks(checks)], compat="equals", join="exact")


def _of_the_data(question: Question) -> list[Check]:
    """Ask of the subjects, one sample each, what must be at chance under any scheme."""
    whole = by_subject(question.features, question.observable)
    fewest = min(int((whole.labels == rule).sum()) for rule in question.classes)
    if fewest < question.folds:  # random splits need fewer
        reason = f"{fewest} subjects of a rule, of {question.folds} needed"
        return [not_asked(name, "chance", len(whole.labels), reason) for name in OF_THE_DATA]
    return ask_all(replace(question, samples=whole), OF_THE_DATA)
