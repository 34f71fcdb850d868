"""Steps that make columns ready for a classifier: what is missing, scale, outliers."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.impute import SimpleImputer
from sklearn.preprocessing import StandardScaler
from sklearn.utils.validation import check_is_fitted, validate_data


class Finite(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Make infinite values missing, so that what is missing is filled in one place."""

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags

    def fit(self, X: Any, y: Any = None) -> Finite:
        """Learn nothing but the number of columns."""
        validate_data(self, X, ensure_all_finite=False)
        self.fitted_ = True
        return self

    def transform(self, X: Any) -> np.ndarray:
        """Replace what is not finite by NaN."""
        check_is_fitted(self)
        values = validate_data(self, X, reset=False, ensure_all_finite=False, dtype=np.float64)
        found: np.ndarray = np.where(np.isfinite(values), values, np.nan)
        return found


class Bounded(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Keep standardised values within a bound, so that one odd column decides nothing alone.

    Parameters
    ----------
    bound : float
        In standard deviations of the training samples.
    """

    def __init__(self, bound: float = 4.0) -> None:
        self.bound = bound

    def fit(self, X: Any, y: Any = None) -> Bounded:
        """Learn nothing but the number of columns."""
        validate_data(self, X)
        self.fitted_ = True
        return self

    def transform(self, X: Any) -> np.ndarray:
        """Clip."""
        check_is_fitted(self)
        values = validate_data(self, X, reset=False, dtype=np.float64)
        found: np.ndarray = np.clip(values, -self.bound, self.bound)
        return found


def prepared() -> list[tuple[str, Any]]:
    """Return the steps that make columns ready for what measures distances: none is context."""
    return [
        ("finite", Finite()),
        ("fill", SimpleImputer(strategy="median", keep_empty_features=True)),
        ("scale", StandardScaler()),
        ("bound", Bounded()),
    ]
