"""The published scheme's verdict, with its optimism beside it."""

from __future__ import annotations

import numpy as np
import xarray as xr

from virtuallab.decoder import paper
from virtuallab.decoder.analysis import Analysis
from virtuallab.decoder.classifier import Classifier
from virtuallab.decoder.intervals import balanced_accuracy, standard_error_interval
from virtuallab.decoder.samples import by_layer
from virtuallab.decoder.verdict import of_confusion


def ask_as_published(
    features: xr.Dataset,
    observable: str,
    classifier: Classifier,
    analysis: Analysis,
    classes: list[str],
    seed: int,
) -> xr.Dataset:
    """Identify layers, and whole subjects by the same splits."""
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
    return verdict
