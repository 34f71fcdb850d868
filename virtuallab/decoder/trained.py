"""A decoder that was trained and calibrated, ready to be asked of recordings it never saw."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import jaxtyping as jt
import numpy as np
from sklearn.model_selection import StratifiedKFold

from virtuallab.decoder.calibration import temperature, tempered
from virtuallab.decoder.classifier import Classifier
from virtuallab.decoder.conformal import Conformity, not_excluded
from virtuallab.decoder.crossval import Rows, chosen_settings, fit, probabilities
from virtuallab.decoder.familiarity import Familiarity, Values
from virtuallab.decoder.samples import Samples

_BELIEF = 10  # folds


@dataclass(frozen=True)
class Answer:
    """What a decoder says of some samples.

    Parameters
    ----------
    probability : array, (sample, rule)
        Calibrated, as if the rule were one of those that the decoder knows.
    p_value : array, (sample, rule)
        How well a sample conforms to each rule: share of that rule's known samples that conform no
        better.
    foreign : array, (sample,)
        How little a sample looks like any rule known; a score, larger where it looks less so.
    familiar : array, (sample,)
        Share of the known samples that look at least as foreign: small where none of these is
        likely.
    """

    probability: jt.Float[np.ndarray, "sample rule"]
    p_value: jt.Float[np.ndarray, "sample rule"]
    foreign: jt.Float[np.ndarray, " sample"]
    familiar: jt.Float[np.ndarray, " sample"]

    def sets(self, coverage: float) -> jt.Bool[np.ndarray, "sample rule"]:
        """Rules that cannot be excluded; the true one is among them as often as ``coverage``."""
        return not_excluded(self.p_value, coverage)


@dataclass(frozen=True)
class Trained:
    """A decoder and what it learned of its own reliability.

    Parameters
    ----------
    rules : tuple of str
        Those it knows.
    estimator : sklearn estimator
        Fitted to all training samples.
    heat : float
        Temperature of its probabilities.
    conformity : Conformity
    familiarity : Familiarity
    known : array, (training sample,)
        How foreign each of the training samples looked when it was not trained on, ascending.
    distances : array, (training sample,)
        How far each of them lay from the nearest of those trained on, ascending.
    """

    rules: tuple[str, ...]
    estimator: Any
    heat: float
    conformity: Conformity
    familiarity: Familiarity
    known: jt.Float[np.ndarray, " training"]
    distances: jt.Float[np.ndarray, " training"]

    def typical(self, values: Values) -> jt.Float[np.ndarray, " sample"]:
        """Share of the training samples that lay at least as far from those known.

        It asks of the setup, not of the rule: 0 where a sample is farther than every one of them.
        """
        nearer = np.searchsorted(self.distances, self.familiarity.distance(values), side="left")
        found: np.ndarray = 1 - nearer / len(self.distances)
        return found

    def answer(self, values: Values) -> Answer:
        """Answer for samples, a row of columns each."""
        found = self.estimator.predict_proba(values)
        places = [list(self.estimator.classes_).index(rule) for rule in self.rules]
        probability = tempered(found[:, places], self.heat)
        foreign = self.familiarity.foreign(values)
        above = len(self.known) - np.searchsorted(self.known, foreign, side="left")
        return Answer(
            probability=probability,
            p_value=self.conformity.p_values(probability),
            foreign=foreign,
            familiar=(1 + above) / (1 + len(self.known)),
        )


def train(
    classifier: Classifier,
    samples: Samples,
    rows: Rows,
    classes: list[str],
    *,
    inner_folds: int,
    seed: int,
    others: Values | None = None,
) -> Trained:
    """Train a decoder on some samples, and learn from inner folds what its answers are worth.

    Parameters
    ----------
    classifier : Classifier
    samples : Samples
    rows : array of int
        Those to train on; no other is looked at.
    classes : list of str
        Rules that it is to know.
    inner_folds : int
        By which settings are chosen. Probabilities, conformity and familiarity of samples on which
        it was not trained are learned by ten others, or as many as a rule has samples.
    seed : int
    others : array, (other, column), optional
        Samples of other rules, from which it learns what none of these looks like.
    """
    inner = StratifiedKFold(inner_folds, shuffle=True, random_state=seed % 2**32)
    grid = classifier.grid("strict", samples)
    settings = chosen_settings(classifier, samples, rows, grid, inner, seed)
    truth = np.array([classes.index(rule) for rule in samples.labels[rows].tolist()])
    rough = np.zeros((len(rows), len(classes)))
    known, distances = np.zeros(len(rows)), np.zeros(len(rows))
    # The more folds, the nearer are the decoders that learn what answers are worth to the one that
    # gives them: with few, sets are larger than they need to be.
    fewest = int(np.bincount(truth, minlength=len(classes)).min())
    belief = StratifiedKFold(min(_BELIEF, fewest), shuffle=True, random_state=seed % 2**32)
    for inside, outside in belief.split(rows, samples.labels[rows]):
        fitted = fit(classifier, samples, rows[inside], settings, seed)
        rough[outside] = probabilities(fitted, samples, rows[outside], classes)
        familiarity = Familiarity.of(
            samples.values[rows[inside]], samples.labels[rows[inside]], others
        )
        known[outside] = familiarity.foreign(samples.values[rows[outside]])
        # Not each left out of the neighbours alone: it would still have shaped their space.
        distances[outside] = familiarity.distance(samples.values[rows[outside]])
    heat = temperature(rough, truth)
    return Trained(
        rules=tuple(classes),
        estimator=fit(classifier, samples, rows, settings, seed),
        heat=heat,
        conformity=Conformity.of(tempered(rough, heat), truth),
        familiarity=Familiarity.of(samples.values[rows], samples.labels[rows], others),
        known=np.sort(known),
        distances=np.sort(distances),
    )
