"""Detection of recordings of rules, or of setups, that a decoder was not trained on.

A classifier names one of its rules for any input. Distance from the training subjects does not
separate new rules from known ones: subjects of one rule are farther apart than rules are. The
separation is instead trained on *outliers*, subjects of other rules that represent unknown ones:
one support vector machine for each known rule against the rest, and one for the outliers. Subjects
of rules outside the outliers are still classified as outliers more often than known ones.

References
----------
Hendrycks, Mazeika and Dietterich 2019, "Deep Anomaly Detection with Outlier Exposure".
"""

from __future__ import annotations

import jaxtyping as jt
import numpy as np
from sklearn.decomposition import PCA
from sklearn.metrics import roc_auc_score
from sklearn.multiclass import OneVsRestClassifier
from sklearn.neighbors import NearestNeighbors
from sklearn.pipeline import Pipeline
from sklearn.svm import SVC

from virtuallab.decoder.features.preprocessing import standardization
from virtuallab.decoder.features.samples import Samples
from virtuallab.decoder.model_selection import quiet_fits, splits_of

Values = jt.Float[np.ndarray, "_ column"]

OUTLIER = " other"  # sorts before the name of every rule
_NEIGHBOURS = 5
_COMPONENTS = 40


class NoveltyDetector:
    """Novelty score and distance of samples from those of known rules.

    Parameters
    ----------
    outliers : Samples, optional
        Of other rules. Without them the novelty score is the distance.

    Attributes
    ----------
    space_ : Pipeline
        From columns to at most 40 principal components.
    neighbours_ : NearestNeighbors
        Of the training samples in this space.
    machines_ : Pipeline or None
        Support vector machines of each rule, and of the outliers, against the rest.
    """

    def __init__(self, outliers: Samples | None = None) -> None:
        self.outliers = outliers

    def fit(self, X: Values, y: np.ndarray) -> NoveltyDetector:
        """Fit to samples of known rules, and to the outliers."""
        size = min(_COMPONENTS, X.shape[1], len(X) - 1)
        self.space_ = Pipeline([*standardization(), ("reduce", PCA(size, svd_solver="full"))])
        with quiet_fits():
            self.space_.fit(X)
        self.neighbours_ = NearestNeighbors(
            n_neighbors=min(_NEIGHBOURS, len(X)), algorithm="brute"
        ).fit(self.space_.transform(X))
        self.machines_ = None
        if self.outliers is not None and len(self.outliers.values):
            machine = OneVsRestClassifier(SVC(C=10.0, random_state=0))
            self.machines_ = Pipeline([*standardization(), ("separate", machine)])
            others = self.outliers.values
            labels = np.concatenate([y.astype(str), np.full(len(others), OUTLIER)])
            self.machines_.fit(np.concatenate([X, others]), labels)
        return self

    def score(self, X: Values) -> jt.Float[np.ndarray, "sample 2"]:
        """Return the novelty score of each sample, and its distance from its neighbours.

        The novelty score is the decision value of the outliers minus the largest of the rules.
        """
        distance = self.neighbours_.kneighbors(self.space_.transform(X))[0].mean(1)
        if self.machines_ is None:
            return np.stack([distance, distance], axis=1)
        decision = self.machines_.decision_function(X)
        outlier = list(self.machines_.classes_).index(OUTLIER)
        novelty = decision[:, outlier] - np.delete(decision, outlier, axis=1).max(1)
        return np.stack([novelty, distance], axis=1)


def share_as_far(
    known: jt.Float[np.ndarray, " known"], distance: jt.Float[np.ndarray, " sample"]
) -> jt.Float[np.ndarray, " sample"]:
    """Share of the known distances, ascending, that are at least as large; 0 beyond all of them."""
    share: np.ndarray = 1 - np.searchsorted(known, distance, side="left") / len(known)
    return share


def open_set_auroc(
    samples: Samples, left_out: str, outliers: Samples | None, *, folds: int, seed: int
) -> float:
    """Area under the ROC curve of separating a rule that was left out of training from the others.

    Subjects of known rules are scored by detectors fitted to other subjects; those of the rule left
    out by the mean over the detectors of all folds, or in a paired design by the one detector that
    was fitted to no subject of the pair. 1 is perfect separation, 0.5 is chance.
    """
    new = samples.labels == left_out
    if samples.pairs is not None:
        return float(roc_auc_score(new, _scores_apart(samples, new, outliers, folds, seed)))
    known = np.flatnonzero(~new)
    score = np.zeros(len(samples.labels))
    for train, test in splits_of(samples.take(known), folds, seed):
        rows = known[train]
        detector = NoveltyDetector(outliers)
        detector.fit(samples.values[rows], samples.labels[rows])
        score[known[test]] = detector.score(samples.values[known[test]])[:, 0]
        score[new] += detector.score(samples.values[new])[:, 0] / folds
    return float(roc_auc_score(new, score))


def _scores_apart(
    samples: Samples, new: np.ndarray, outliers: Samples | None, folds: int, seed: int
) -> jt.Float[np.ndarray, " sample"]:
    """Novelty score of each sample, by a detector that was fitted to no subject of its pair."""
    score = np.zeros(len(samples.labels))
    for train, test in splits_of(samples, folds, seed):
        rows = train[~new[train]]
        detector = NoveltyDetector(outliers and outliers.apart_from(samples.take(test)))
        detector.fit(samples.values[rows], samples.labels[rows])
        score[test] = detector.score(samples.values[test])[:, 0]
    return score
