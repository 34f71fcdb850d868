"""Folds and the choice of a classifier's settings, by scikit-learn's splitters and grid search."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from sklearn.exceptions import FitFailedWarning
from sklearn.model_selection import (
    BaseCrossValidator,
    GridSearchCV,
    StratifiedGroupKFold,
    StratifiedKFold,
    cross_val_predict,
)

from virtuallab.decoder.classifier import Classifier, Grid
from virtuallab.decoder.features.samples import Rows, Samples


def stratified(folds: int, seed: int, *, paired: bool = False) -> BaseCrossValidator:
    """Shuffled folds, stratified by rule; with pairs as groups in a paired design."""
    kind = StratifiedGroupKFold if paired else StratifiedKFold
    return kind(folds, shuffle=True, random_state=seed % 2**32)


def splits_of(samples: Samples, folds: int, seed: int) -> Iterator[tuple[Rows, Rows]]:
    """Yield training and test rows of shuffled folds, stratified by rule; pairs stay together."""
    splitter = stratified(folds, seed, paired=samples.pairs is not None)
    yield from splitter.split(samples.values, samples.labels, samples.pairs)


def held_out(
    estimator: Any,
    samples: Samples,
    splitter: BaseCrossValidator | Iterable[tuple[Rows, Rows]],
    method: str,
    groups: np.ndarray | None = None,
) -> np.ndarray:
    """Predictions for each sample by an estimator that was fitted to the other folds.

    Parameters
    ----------
    estimator : sklearn estimator
        Not fitted; a grid search draws its inner folds among the training samples.
    samples : Samples
    splitter : BaseCrossValidator or iterable of (array, array)
        A splitter, or rows to train on and rows to test.
    method : {"predict", "predict_proba"}
    groups : array, (sample,), optional
        Groups of the splitter; by default the pairs.
    """
    with quiet_fits():
        found: np.ndarray = cross_val_predict(
            estimator,
            samples.values,
            samples.labels,
            groups=samples.pairs if groups is None else groups,
            cv=splitter,
            method=method,
            params=_pairs_for(estimator, samples),
        )
    return found


def _pairs_for(estimator: Any, samples: Samples) -> dict[str, Any]:
    """Arguments with which an estimator is fitted: the pairs, if its inner folds need them."""
    needed = isinstance(getattr(estimator, "cv", None), StratifiedGroupKFold)
    return {"groups": samples.pairs} if needed else {}


def nested(classifier: Classifier, samples: Samples, inner_folds: int, seed: int) -> Any:
    """Unfitted estimator that chooses settings of the strict scheme by shuffled inner folds."""
    grid = classifier.grid("strict", samples)
    inner = stratified(inner_folds, seed, paired=samples.pairs is not None)
    return grid_search(classifier, samples, grid, inner, seed)


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
        fitted = estimator.fit(samples.values, samples.labels, **_pairs_for(estimator, samples))
    return getattr(fitted, "best_estimator_", fitted)
