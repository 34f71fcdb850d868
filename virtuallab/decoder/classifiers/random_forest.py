"""Random forest."""

from __future__ import annotations

from typing import Any

from virtuallab.decoder.classifier import Classifier, Grid, GridName
from virtuallab.decoder.features.samples import Samples
from virtuallab.registry import CLASSIFIERS


@CLASSIFIERS.register("random_forest")
class RandomForest(Classifier):
    """Random forest, which does not depend on the scale of its inputs.

    References
    ----------
    Breiman 2001, "Random Forests".
    """

    cost = (0.12, 6e-7)

    def estimator(self, samples: Samples, seed: int) -> Any:
        """Pipeline that imputes, and scikit-learn's forest."""
        from sklearn.ensemble import RandomForestClassifier

        forest = RandomForestClassifier(random_state=seed % 2**32)
        return self.pipeline(samples, forest, scaled=False)

    def grid(self, name: GridName, samples: Samples) -> Grid:
        """Number of trees and of features at a split; the strict scheme has one setting."""
        if name == "strict":
            return [{"classify__n_estimators": 100, "classify__max_features": "sqrt"}]
        trees = (20, 50, 100, 500, 1000) if name == "published" else (50,)
        tried = ("sqrt", "log2", None) if name == "published" else ("sqrt", "log2")
        return [
            {"classify__n_estimators": n, "classify__max_features": m} for n in trees for m in tried
        ]
