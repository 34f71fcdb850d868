"""Preprocessing of feature columns: missing values, scale and outliers."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.preprocessing import StandardScaler
from sklearn.utils.validation import check_is_fitted, validate_data


class MedianImputer(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Replace values that are not finite by the median of their column.

    The medians are those of scikit-learn's ``SimpleImputer(strategy="median")``, without its masked
    arrays, whose sorting takes several times as long.

    Attributes
    ----------
    medians_ : array, (column,)
        Of the finite values of the training samples; 0 for a column that has none. After
        :meth:`fit`.
    """

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags

    def fit(self, X: Any, y: Any = None) -> MedianImputer:
        """Store the median of each column."""
        values = validate_data(self, X, ensure_all_finite=False, dtype=np.float64)
        self.medians_ = _medians(values)
        return self

    def transform(self, X: Any) -> np.ndarray:
        """Return the values with medians where they are not finite."""
        check_is_fitted(self)
        values = validate_data(self, X, reset=False, ensure_all_finite=False, dtype=np.float64)
        found: np.ndarray = np.where(np.isfinite(values), values, self.medians_)
        return found


def _medians(values: np.ndarray) -> np.ndarray:
    """Median of the finite values of each column; 0 without any."""
    finite = np.isfinite(values)
    ordered = np.sort(np.where(finite, values, np.inf), axis=0)
    count, column = finite.sum(0), np.arange(values.shape[1])
    low, high = (ordered[np.maximum(rank, 0), column] for rank in ((count - 1) // 2, count // 2))
    found: np.ndarray = np.where(count > 0, (low + high) / 2, 0.0)
    return found


class Bounded(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Clip standardised values, so that no single outlier decides the classification.

    Parameters
    ----------
    bound : float
        In standard deviations of the training samples.
    """

    def __init__(self, bound: float = 4.0) -> None:
        self.bound = bound

    def fit(self, X: Any, y: Any = None) -> Bounded:
        """Store the number of columns."""
        validate_data(self, X)
        self.fitted_ = True
        return self

    def transform(self, X: Any) -> np.ndarray:
        """Return the clipped values."""
        check_is_fitted(self)
        values = validate_data(self, X, reset=False, dtype=np.float64)
        found: np.ndarray = np.clip(values, -self.bound, self.bound)
        return found


def imputation() -> list[tuple[str, Any]]:
    """Pipeline step that replaces missing values by the median of the training samples."""
    return [("fill", MedianImputer())]


def standardization() -> list[tuple[str, Any]]:
    """Pipeline steps for estimators that use distances: impute, standardise, clip."""
    return [*imputation(), ("scale", StandardScaler()), ("bound", Bounded())]
