"""Linear support vector classification with class scores."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.svm import LinearSVC


class LinearMachine(LinearSVC):  # type: ignore[misc]
    """Linear support vector classification with class scores that sum to 1.

    As published, the score of a class is the logistic function of its decision value.
    """

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> LinearMachine:
        """Fit without convergence warnings, which are usual for large published values of C."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            super().fit(X, y, sample_weight)
        return self

    def predict_proba(self, X: Any) -> np.ndarray:
        """Logistic function of the decision values, divided by the sum over classes."""
        decision = self.decision_function(X)
        if decision.ndim == 1:
            decision = np.stack([-decision, decision], axis=1)
        scores = 1 / (1 + np.exp(-np.clip(decision, -500, 500)))
        found: np.ndarray = scores / scores.sum(1, keepdims=True)
        return found
