"""Gradient boosting."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from virtuallab.decoder.classifier import Classifier, Grid, Scheme
from virtuallab.decoder.samples import Samples
from virtuallab.registry import CLASSIFIERS

if TYPE_CHECKING:
    from sklearn.base import BaseEstimator


@CLASSIFIERS.register("gradient_boosting")
@dataclass(frozen=True)
class GradientBoosting(Classifier):
    """Gradient boosting of small trees, each of which looks at a tenth of the features.

    References
    ----------
    Friedman 2001, "Greedy Function Approximation: A Gradient Boosting Machine".
    """

    cost: ClassVar[tuple[float, float]] = (0.5, 1e-5)

    def estimator(self, samples: Samples, seed: int, **settings: Any) -> BaseEstimator:
        """Scikit-learn's boosting over histograms."""
        from sklearn.ensemble import HistGradientBoostingClassifier

        model = HistGradientBoostingClassifier(
            max_features=0.1, early_stopping=False, random_state=seed % 2**32, **settings
        )
        return self.pipeline(samples, model, scaled=False)

    def grid(self, scheme: Scheme, samples: Samples) -> Grid:
        """Trees, and the leaves of each; a quick choice has one of them."""
        if scheme == "published":
            return [{"max_iter": n, "max_leaf_nodes": m} for n in (50, 150) for m in (4, 15)]
        return [{"max_iter": 80, "max_leaf_nodes": 6, "min_samples_leaf": 5}]
