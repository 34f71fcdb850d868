"""Folds and the choice of a classifier's settings, by scikit-learn's splitters and grid search."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from sklearn.exceptions import FitFailedWarning
from sklearn.model_selection import BaseCrossValidator, GridSearchCV, StratifiedKFold

from virtuallab.decoder.classifier import Classifier, Grid
from virtuallab.decoder.features.samples import Samples


def stratified(folds: int, seed: int) -> StratifiedKFold:
    """Shuffled folds, stratified by rule."""
    return StratifiedKFold(folds, shuffle=True, random_state=seed % 2**32)


def nested(classifier: Classifier, samples: Samples, inner_folds: int, seed: int) -> Any:
    """Unfitted estimator that chooses settings of the strict scheme by shuffled inner folds."""
    grid = classifier.grid("strict", samples)
    return grid_search(classifier, samples, grid, stratified(inner_folds, seed), seed)


def grid_search(
    classifier: Classifier, samples: Samples, grid: Grid, inner: BaseCrossValidator, seed: int
) -> Any:
    """Unfitted estimator that chooses its settings by inner folds when it is fitted.

    Settings that cannot be fitted in one of the folds (more components than samples, for example)
    are left out. A grid with one setting needs no search.
    """
    estimator = classifier.estimator(samples, seed)
    if len(grid) == 1:
        return estimator.set_params(**grid[0])
    candidates = [{name: [value] for name, value in setting.items()} for setting in grid]
    return GridSearchCV(estimator, candidates, scoring="accuracy", cv=inner)


@contextmanager
def quiet_fits() -> Iterator[None]:
    """Context without warnings about constant columns and settings that cannot be fitted."""
    with np.errstate(invalid="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore", FitFailedWarning)
        warnings.filterwarnings("ignore", "One or more of the test scores are non-finite")
        yield


def fit(estimator: Any, samples: Samples) -> Any:
    """Fitted estimator; of a grid search, that with the best settings."""
    with quiet_fits():
        fitted = estimator.fit(samples.values, samples.labels)
    return getattr(fitted, "best_estimator_", fitted)
