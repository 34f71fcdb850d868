"""Random forest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from virtuallab.decoder.classifier import Classifier, Grid, Scheme
from virtuallab.decoder.samples import Samples
from virtuallab.registry import CLASSIFIERS

if TYPE_CHECKING:
    from sklearn.base import BaseEstimator


@CLASSIFIERS.register("random_forest")
@dataclass(frozen=True)
class RandomForest(Classifier):
    """Random forest: a vote of decision trees; untouched by the scale of its inputs.

    References
    ----------
    Breiman 2001, "Random Forests".
    """

    cost: ClassVar[tuple[float, float]] = (0.12, 6e-7)

    def estimator(self, samples: Samples, seed: int, **settings: Any) -> BaseEstimator:
        """Scikit-learn's forest."""
        from sklearn.ensemble import RandomForestClassifier

        forest = RandomForestClassifier(random_state=seed % 2**32, **settings)
        return self.pipeline(samples, forest, scaled=False)

    def grid(self, scheme: Scheme, samples: Samples) -> Grid:
        """Published: trees x features tried at a split. Strict: enough trees, one choice."""
        if scheme == "strict":
            return [{"n_estimators": 100, "max_features": "sqrt"}]
        trees = (20, 50, 100, 500, 1000) if scheme == "published" else (50,)
        tried = ("sqrt", "log2", None) if scheme == "published" else ("sqrt", "log2")
        return [{"n_estimators": n, "max_features": m} for n in trees for m in tried]
