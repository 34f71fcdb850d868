"""Preprocessing of feature columns: missing values, scale and outliers."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.impute import SimpleImputer
from sklearn.preprocessing import StandardScaler
from sklearn.utils.validation import check_is_fitted, validate_data


class Finite(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Replace infinite values by NaN, so that one imputer fills everything that is missing."""

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags

    def fit(self, X: Any, y: Any = None) -> Finite:
        """Store the number of columns."""
        validate_data(self, X, ensure_all_finite=False)
        self.fitted_ = True
        return self

    def transform(self, X: Any) -> np.ndarray:
        """Return the values with NaN where they are not finite."""
        check_is_fitted(self)
        values = validate_data(self, X, reset=False, ensure_all_finite=False, dtype=np.float64)
        found: np.ndarray = np.where(np.isfinite(values), values, np.nan)
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
    """Pipeline steps that replace missing values by the median of the training samples."""
    return [
        ("finite", Finite()),
        ("fill", SimpleImputer(strategy="median", keep_empty_features=True)),
    ]


def standardization() -> list[tuple[str, Any]]:
    """Pipeline steps for estimators that use distances: impute, standardise, clip."""
    return [*imputation(), ("scale", StandardScaler()), ("bound", Bounded())]
