"""What a classifier is to the decoder: an estimator, and the settings worth trying."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.validation import check_is_fitted, validate_data

from virtuallab.decoder.samples import Samples

Scheme = Literal["strict", "quick", "published"]
Grid = list[dict[str, Any]]


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


@dataclass(frozen=True)
class Classifier(ABC):
    """A classifier by name: how to make one, and which settings to choose among."""

    name: ClassVar[str]

    @abstractmethod
    def estimator(self, samples: Samples, seed: int, **settings: Any) -> BaseEstimator:
        """Make an unfitted estimator with ``predict_proba`` for samples of this form."""

    @abstractmethod
    def grid(self, scheme: Scheme, samples: Samples) -> Grid:
        """Settings to choose among; with one entry nothing needs to be chosen."""

    def pipeline(
        self,
        samples: Samples,
        last: Any,
        *,
        scaled: bool,
        bounded: bool = False,
        components: int | None = None,
    ) -> Pipeline:
        """Fill what is missing by the training samples' median, scale, bound, reduce, classify.

        Context columns are neither scaled nor reduced.
        """
        steps: list[tuple[str, Any]] = [
            ("finite", Finite()),
            ("fill", SimpleImputer(strategy="median", keep_empty_features=True)),
        ]
        if scaled:
            prepared: list[tuple[str, Any]] = [("scale", StandardScaler())]
            if bounded:
                prepared.append(("bound", Bounded()))
            if components is not None:
                prepared.append(("reduce", PCA(components, svd_solver="full")))
            context = slice(0, samples.context)
            rest = slice(samples.context, samples.values.shape[1])
            columns = [("context", "passthrough", context), ("rest", Pipeline(prepared), rest)]
            steps.append(("prepare", ColumnTransformer(columns)))
        return Pipeline([*steps, ("classify", last)])
