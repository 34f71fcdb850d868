"""Logistic regression."""

from __future__ import annotations

from typing import Any

from virtuallab.decoder.classifier import Classifier, Grid, GridName
from virtuallab.decoder.features.samples import Samples
from virtuallab.registry import CLASSIFIERS


@CLASSIFIERS.register("logistic_regression")
class LogisticRegression(Classifier):
    """Multinomial logistic regression with an L2 penalty, on standardised and clipped features.

    References
    ----------
    Hastie, Tibshirani and Friedman 2009, "The Elements of Statistical Learning", section 4.4.
    """

    cost = (0.008, 1e-7)

    def estimator(self, samples: Samples, seed: int) -> Any:
        """Pipeline that standardises and clips, and scikit-learn's regression."""
        from sklearn.linear_model import LogisticRegression as Regression

        model = Regression(max_iter=5_000, random_state=seed % 2**32)
        return self.pipeline(samples, model, scaled=True, bounded=True)

    def grid(self, name: GridName, samples: Samples) -> Grid:
        """Inverse strength of the penalty; many correlated columns need a strong one."""
        strengths = {"strict": (1e-3, 1e-2, 1e-1), "quick": (1e-2, 1.0)}
        costs = strengths.get(name, (1e-3, 1e-2, 1e-1, 1.0, 10.0))
        return [{"classify__C": cost} for cost in costs]
