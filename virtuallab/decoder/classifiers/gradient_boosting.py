"""Gradient boosting."""

from __future__ import annotations

from typing import Any

from virtuallab.decoder.classifier import Classifier, Grid, GridName
from virtuallab.decoder.features.samples import Samples
from virtuallab.registry import CLASSIFIERS


@CLASSIFIERS.register("gradient_boosting")
class GradientBoosting(Classifier):
    """Gradient boosting of small trees, each of which uses a tenth of the features.

    References
    ----------
    Friedman 2001, "Greedy Function Approximation: A Gradient Boosting Machine".
    """

    cost = (0.5, 1e-5)

    def estimator(self, samples: Samples, seed: int) -> Any:
        """Pipeline that imputes, and scikit-learn's boosting over histograms."""
        from sklearn.ensemble import HistGradientBoostingClassifier

        model = HistGradientBoostingClassifier(
            max_features=0.1, early_stopping=False, random_state=seed % 2**32
        )
        return self.pipeline(samples, model, scaled=False)

    def grid(self, name: GridName, samples: Samples) -> Grid:
        """Number of trees and leaves of each; one setting except for the published grid."""
        if name == "published":
            return [
                {"classify__max_iter": n, "classify__max_leaf_nodes": m}
                for n in (50, 150)
                for m in (4, 15)
            ]
        settings = {"max_iter": 80, "max_leaf_nodes": 6, "min_samples_leaf": 5}
        return [{f"classify__{key}": value for key, value in settings.items()}]
