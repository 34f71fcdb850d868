"""Whether a recording is of a rule that the decoder knows, and from a setup like those it knows.

A classifier names one of its rules whatever it is shown. Distance from what was known does not tell
new rules from known ones: subjects of one rule lie farther from one another than rules do. What
tells them is learned instead, from subjects of *other* rules, which stand for all that may come: a
machine of each known rule against the rest, and one of the others. A rule that was never seen,
among the others neither, still falls on their side more often than a known one.

References
----------
Hendrycks, Mazeika and Dietterich 2019, "Deep Anomaly Detection with Outlier Exposure".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import jaxtyping as jt
import numpy as np
from sklearn.decomposition import PCA
from sklearn.multiclass import OneVsRestClassifier
from sklearn.neighbors import NearestNeighbors
from sklearn.pipeline import Pipeline
from sklearn.svm import SVC

from virtuallab.decoder.preparing import prepared

Values = jt.Float[np.ndarray, "_ column"]
Score = jt.Float[np.ndarray, " _"]

OTHER = " other"  # sorts before every name, and is none
_NEAREST = 5
_COMPONENTS = 40


@dataclass(frozen=True)
class Familiarity:
    """What samples of known rules, and of others, look like.

    Parameters
    ----------
    space : Pipeline
        From columns to a space of few dimensions.
    neighbours : NearestNeighbors
        Of the known samples in it.
    machines : Pipeline or None
        Of each known rule, and of the others, against the rest; None where no others were known.
    """

    space: Any
    neighbours: Any
    machines: Any

    @classmethod
    def of(cls, values: Values, labels: np.ndarray, others: Values | None = None) -> Familiarity:
        """Learn it.

        Parameters
        ----------
        values : array, (sample, column)
            Of known rules.
        labels : array of str, (sample,)
        others : array, (other, column), optional
            Of rules that are not to be named.
        """
        size = min(_COMPONENTS, values.shape[1], len(values) - 1)
        space = Pipeline([*prepared(), ("reduce", PCA(size, svd_solver="full"))])
        with np.errstate(invalid="ignore"):  # columns that are all constant have no variance
            space.fit(values)
        near = NearestNeighbors(n_neighbors=min(_NEAREST, len(values)), algorithm="brute")
        machines = None
        if others is not None and len(others):
            named = np.concatenate([labels.astype(object), np.full(len(others), OTHER, object)])
            machines = Pipeline([*prepared(), ("separate", OneVsRestClassifier(_machine()))])
            machines.fit(np.concatenate([values, others]), named.astype(str))
        return cls(space, near.fit(space.transform(values)), machines)

    def foreign(self, values: Values) -> Score:
        """How little samples look like any known rule; larger where they look less so."""
        if self.machines is None:
            return self.distance(values)
        decision = self.machines.decision_function(values)
        other = list(self.machines.classes_).index(OTHER)
        score: np.ndarray = decision[:, other] - np.delete(decision, other, axis=1).max(1)
        return score

    def distance(self, values: Values) -> Score:
        """How far samples lie from the nearest known ones, whatever their rule."""
        found: np.ndarray = self.neighbours.kneighbors(self.space.transform(values))[0].mean(1)
        return found


def _machine() -> SVC:
    return SVC(C=10.0, random_state=0)
