"""Train and test without letting one know of the other."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import jaxtyping as jt
import numpy as np
from sklearn.base import BaseEstimator
from sklearn.model_selection import BaseCrossValidator, StratifiedKFold

from virtuallab.decoder.classifier import Classifier, Grid
from virtuallab.decoder.samples import Samples

Rows = jt.Int[np.ndarray, " row"]


def chosen_settings(
    classifier: Classifier,
    samples: Samples,
    rows: Rows,
    grid: Grid,
    inner: BaseCrossValidator,
    seed: int,
) -> dict[str, Any]:
    """Return the settings that do best within the training rows; none of the others is looked at.

    A setting that cannot be used on a part of them (more components than samples, say) is judged
    by the parts where it can, and left out if there is none.
    """
    if len(grid) == 1:
        return grid[0]
    scores = []
    for settings in grid:
        parts = []
        for train, test in inner.split(rows, samples.labels[rows]):
            try:
                fitted = fit(classifier, samples, rows[train], settings, seed)
            except ValueError:
                continue
            predicted = fitted.predict(samples.values[rows[test]])
            parts.append((predicted == samples.labels[rows[test]]).mean())
        scores.append(np.mean(parts) if parts else -np.inf)
    return grid[int(np.argmax(scores))]


def fit(
    classifier: Classifier, samples: Samples, rows: Rows, settings: dict[str, Any], seed: int
) -> Any:
    """Make an estimator and fit it to some rows."""
    estimator: BaseEstimator = classifier.estimator(samples, seed, **settings)
    with np.errstate(invalid="ignore"):  # columns that are all constant have no variance
        return estimator.fit(samples.values[rows], samples.labels[rows])


def shuffled_folds(labels: np.ndarray, folds: int, seed: int) -> Iterator[tuple[Rows, Rows]]:
    """Outer folds, stratified by rule and shuffled."""
    splitter = StratifiedKFold(folds, shuffle=True, random_state=seed % 2**32)
    yield from splitter.split(labels, labels)


def probabilities(
    fitted: Any, samples: Samples, rows: Rows, classes: list[str]
) -> jt.Float[np.ndarray, "row rule"]:
    """Scores for every class, zero for one that was not in training."""
    found = np.zeros((len(rows), len(classes)))
    found[:, [classes.index(str(name)) for name in fitted.classes_]] = fitted.predict_proba(
        samples.values[rows]
    )
    return found


def confusion_of(
    true: np.ndarray, predicted: np.ndarray, classes: list[str]
) -> jt.Float[np.ndarray, "true predicted"]:
    """Counts, rows true and columns predicted."""
    counts = np.zeros((len(classes), len(classes)))
    for one, other in zip(true, predicted, strict=True):
        counts[classes.index(str(one)), classes.index(str(other))] += 1
    return counts
