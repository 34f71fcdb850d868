r"""The answer "no learning": a test that is trained on recordings of null models.

A decoder of rules names one of its rules for every recording, also for one in which nothing was
learned. A support vector machine separates subjects that learned from recordings of null models.
Its scores are compared with those of held-out recordings, and a null model is held out as a whole:
real brains change in ways that no list of null models contains, so scores of a kind that was not in
training are needed.

"No learning" is excluded if, for every null model, at most 5 % of its held-out recordings have a
score as high, and at least 5 % of the held-out subjects that learned have one as low. The second
condition keeps recordings that are like neither from counting as learning.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import jaxtyping as jt
import numpy as np
from scipy.special import expit
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold
from sklearn.pipeline import Pipeline
from sklearn.svm import SVC

from virtuallab.decoder.features.preprocessing import standardization
from virtuallab.decoder.model_selection import quiet_fits
from virtuallab.decoder.uncertainty.conformal import share_at_least
from virtuallab.decoder.uncertainty.novelty import NoveltyDetector, Values, share_as_far

LEVEL = 0.05  # of the test, and the share of learning subjects that look least like learning
MOST_FOLDS = 5

Scores = jt.Float[np.ndarray, " _"]


@dataclass(frozen=True)
class NullSamples:
    """Samples of recordings in which nothing was learned.

    Parameters
    ----------
    values : array, (recording, column)
    kinds : array of str, (recording,)
        Null model of each.
    owners : array of int, (recording,)
        Subject from whose states it was made; it is held out together with that subject.
    """

    values: Values
    kinds: np.ndarray
    owners: jt.Int[np.ndarray, " recording"]


@dataclass(frozen=True)
class NoLearningTest:
    """A test of whether a recording could have been made without learning.

    Parameters
    ----------
    machine : Pipeline
        Its score is higher for recordings that look like learning.
    slope, intercept : float
        Of the log odds of learning as a function of the score; learning and no learning are taken
        to be equally likely beforehand.
    learners : array, (subject,)
        Scores of subjects that learned, each by a machine that was not trained on it; ascending.
    nulls : mapping from null model to array, (recording,)
        Scores of its recordings, by machines trained without this null model; ascending.
    detector : NoveltyDetector
        Of recordings of null models.
    distance : array, (recording,)
        Distance of each from its neighbours, held out; ascending.
    """

    machine: Pipeline
    slope: float
    intercept: float
    learners: Scores
    nulls: Mapping[str, Scores]
    detector: NoveltyDetector
    distance: Scores

    @classmethod
    def train(
        cls, values: Values, owners: jt.Int[np.ndarray, " subject"], nulls: NullSamples, seed: int
    ) -> tuple[NoLearningTest, Scores]:
        """Return a test, and the held-out score of each subject that learned.

        Parameters
        ----------
        values : array, (subject, column)
            Of subjects that learned.
        owners : array of int, (subject,)
            Numbers of the subjects, as in ``nulls``.
        nulls : NullSamples
        seed : int
            Of the folds, which keep all recordings of one subject together.
        """
        together = np.concatenate([values, nulls.values])
        kinds = np.concatenate([np.full(len(values), ""), nulls.kinds])
        groups = np.concatenate([owners, nulls.owners])
        scores = _held_out(together, kinds, groups, seed)
        learned = kinds == ""
        slope, intercept = _log_odds(scores, kinds)
        distance = np.zeros(len(nulls.kinds))
        for train, test in _folds(nulls.owners, seed).split(nulls.values, groups=nulls.owners):
            fitted = NoveltyDetector().fit(nulls.values[train], nulls.kinds[train])
            distance[test] = fitted.score(nulls.values[test])[:, 1]
        test_of = cls(
            machine=_machine().fit(together, learned),
            slope=slope,
            intercept=intercept,
            learners=np.sort(scores[learned]),
            nulls={k: np.sort(scores[kinds == k]) for k in np.unique(nulls.kinds).tolist()},
            detector=NoveltyDetector().fit(nulls.values, nulls.kinds),
            distance=np.sort(distance),
        )
        return test_of, scores[learned]

    def score(self, values: Values) -> Scores:
        """Score of each recording: higher if it looks more like learning."""
        found: np.ndarray = self.machine.decision_function(values)
        return found

    def probability(self, scores: Scores) -> Scores:
        """Probability of no learning, from scores."""
        found: np.ndarray = expit(-(self.slope * scores + self.intercept))
        return found

    def p_value(self, scores: Scores, without: str = "") -> Scores:
        """P-value of no learning, from scores; excluded if it is at most :data:`LEVEL`.

        The largest share, over null models, of recordings that look as much like learning; 1 for a
        recording that looks less like learning than almost all subjects that learned.

        Parameters
        ----------
        scores : array, (recording,)
        without : str
            A null model that is not compared with, if there are others.
        """
        others = {kind: each for kind, each in self.nulls.items() if kind != without}
        known = list((others or self.nulls).values())
        largest = np.max([share_at_least(each, scores) for each in known], axis=0)
        as_low = np.searchsorted(self.learners, scores, side="right") / len(self.learners)
        found: np.ndarray = np.where(as_low < LEVEL, 1.0, largest)
        return found

    def distance_p_value(self, values: Values) -> Scores:
        """Share of the null recordings at least as far from their neighbours."""
        return share_as_far(self.distance, self.detector.score(values)[:, 1])

    @property
    def excluded(self) -> dict[str, float]:
        """Share of held-out recordings in which no learning is excluded, ``learning`` and by kind.

        Recordings of a null model are scored by machines without it and compared with the other
        null models, whose own scores are by machines that had it.
        """
        found = {"learning": float((self.p_value(self.learners) <= LEVEL).mean())}
        for kind, scores in self.nulls.items():
            found[kind] = float((self.p_value(scores, without=kind) <= LEVEL).mean())
        return found


def _machine() -> Pipeline:
    machine = SVC(C=10.0, class_weight="balanced", random_state=0)
    return Pipeline([*standardization(), ("separate", machine)])


def _folds(owners: np.ndarray, seed: int) -> GroupKFold:
    folds = min(MOST_FOLDS, len(np.unique(owners)))
    return GroupKFold(folds, shuffle=True, random_state=seed % 2**32)


def _held_out(values: Values, kinds: np.ndarray, groups: np.ndarray, seed: int) -> Scores:
    """Scores by machines that saw neither the subject nor, of a null recording, its null model."""
    learned, found = kinds == "", np.zeros(len(kinds))
    is_several = len(np.unique(kinds)) > 2
    with quiet_fits():
        for train, test in _folds(groups, seed).split(values, groups=groups):
            for kind in np.unique(kinds[test]):
                rows = train[learned[train] | (kinds[train] != kind)] if is_several else train
                mine = test[kinds[test] == kind]
                machine = _machine().fit(values[rows], learned[rows])
                found[mine] = machine.decision_function(values[mine])
    return found


def _log_odds(scores: Scores, kinds: np.ndarray) -> tuple[float, float]:
    """Slope and intercept of the log odds of learning; every null model has the same weight."""
    learned = kinds == ""
    names = np.unique(kinds[~learned])
    weight = np.where(learned, 1 / learned.sum(), 0.0)
    for name in names:
        weight[kinds == name] = 1 / ((kinds == name).sum() * len(names))
    fitted = LogisticRegression().fit(
        scores[:, None], learned, sample_weight=weight * len(kinds) / 2
    )
    return float(fitted.coef_[0, 0]), float(fitted.intercept_[0])
