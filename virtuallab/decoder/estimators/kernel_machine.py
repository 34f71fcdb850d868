"""Support vector machines of each class against the rest, with scores that sum to 1."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import softmax
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from virtuallab.decoder.estimators.radial_machines import decision_values, fit_radial_machines


class KernelMachine(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A support vector machine of each class against the rest, with scores that sum to 1.

    Scores are the softmax of the decision values, which a decoder calibrates. Votes of machines for
    pairs of classes would contain little information about their certainty.

    Parameters
    ----------
    C : float
        Cost of a misclassified sample.
    random_state : int
        Of the machines; predictions do not depend on it.
    """

    def __init__(self, C: float = 10.0, random_state: int = 0) -> None:
        self.C = C
        self.random_state = random_state

    def fit(self, X: Any, y: Any) -> KernelMachine:
        """Fit one machine for each class."""
        values, labels = validate_data(self, X, y, dtype=np.float64, order="C")
        check_classification_targets(labels)
        self.classes_ = np.unique(labels)
        if len(self.classes_) < 2:
            raise ValueError("Classifier can't train when only one class is present.")
        self.machines_ = fit_radial_machines(
            values, labels, cost=self.C, random_state=self.random_state
        )
        return self

    def predict_proba(self, X: Any) -> np.ndarray:
        """Softmax of the decision values, one for each class."""
        check_is_fitted(self)
        values = validate_data(self, X, reset=False, dtype=np.float64)
        decision = decision_values(self.machines_, values)
        if decision.shape[1] == 1:
            decision = np.concatenate([-decision, decision], axis=1)
        found: np.ndarray = softmax(decision, axis=1)
        return found

    def predict(self, X: Any) -> np.ndarray:
        """Class with the highest score."""
        scores = self.predict_proba(X)
        chosen: np.ndarray = self.classes_[scores.argmax(1)]
        return chosen
