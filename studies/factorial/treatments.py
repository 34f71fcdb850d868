"""Treatments of kinds: what a decoder may do so that it names rules in kinds not in training.

Each kind is tested by a decoder that was trained on all others. A treatment is fitted to the
training kinds alone, and the choice among treatments is made inside them as well.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any, Final

import jaxtyping as jt
import numpy as np

from studies.factorial.learning_time import aligned
from studies.factorial.left_out import left_out_scores
from studies.factorial.predictions import CLASSIFIER, SEED, stored_each
from studies.factorial.representations import (
    AndScaled,
    AsTheyAre,
    Centred,
    Recoloured,
    Representation,
    Scaled,
    by_kind,
)
from studies.factorial.subjects import Recorded
from virtuallab.decoder.features.samples import Rows, Samples
from virtuallab.decoder.model_selection import quiet_fits
from virtuallab.decoder.pairs import permuted
from virtuallab.decoder.reference_choices import (
    ALL_RULES,
    FEW_RULES,
    MOSTLY_OWN_RULE,
    NO_REFERENCES,
    OWN_RULE,
)
from virtuallab.decoder.schemes.referenced import read_choices
from virtuallab.registry import CLASSIFIERS

OBSERVABLES: Final = ("activity", "all")
WEIGHTED: Final = "logistic_regression"  # the machines take no weights of subjects
NULL_GROUPS: Final = 2  # groups of kinds that are held out where labels are permuted
_FOCUS: Final = 0.5


@dataclass(frozen=True)
class Treatment:
    """What is done about kinds.

    Parameters
    ----------
    name, description : str
    representation : type
        A :class:`~studies.factorial.representations.Representation`.
    aligned : bool
        Read features at equal fractions of each subject's progress, not of its steps.
    focus : float, optional
        Weight the kinds in training: by the exponential of this number times their loss, in
        standard deviations over kinds, when they are left out. 0 gives all kinds one weight.
    choices : tuple of str, optional
        Choices of references that are tested; all if None.
    classifiers : tuple of str
        Classifiers that are tested; those that take weights of subjects, if kinds have weights.
    """

    name: str
    description: str
    representation: type[Representation] = AsTheyAre
    aligned: bool = False
    focus: float | None = None
    choices: tuple[str, ...] | None = (ALL_RULES, OWN_RULE)
    classifiers: tuple[str, ...] = (CLASSIFIER, WEIGHTED)

    @property
    def referenced(self) -> bool:
        """True if references of the tested kind are needed."""
        return self.representation is not AsTheyAre


AS_THEY_ARE: Final = Treatment("as they are", "Features as recorded, without references.")
CENTRED: Final = Treatment(
    "centred",
    "Relative to the median of the references, shrunk when they are few.",
    Centred,
    choices=None,
)
TREATMENTS: Final = (
    AS_THEY_ARE,
    CENTRED,
    Treatment(
        "scaled",
        "Centred, in units of the references' spread, shrunk when they are few.",
        Scaled,
        classifiers=(CLASSIFIER,),
    ),
    Treatment(
        "as they are and scaled",
        "Scaled features in further columns.",
        AndScaled,
        choices=(ALL_RULES, FEW_RULES, MOSTLY_OWN_RULE, OWN_RULE),
    ),
    Treatment(
        "recoloured",
        "Leading components, with the references' covariance transformed to that of all kinds.",
        Recoloured,
        classifiers=(CLASSIFIER,),
    ),
    Treatment(
        "kinds balanced",
        "All kinds have one weight in training.",
        focus=0.0,
        classifiers=(WEIGHTED,),
    ),
    Treatment(
        "worst kinds",
        "Kinds count more in training the larger their loss is when they are left out.",
        focus=_FOCUS,
        classifiers=(WEIGHTED,),
    ),
    Treatment(
        "aligned",
        "At equal fractions of each subject's own change.",
        aligned=True,
        classifiers=(CLASSIFIER,),
    ),
)


@dataclass(frozen=True)
class KindPredictions:
    """Predictions of all kinds by decoders that were trained on others.

    Parameters
    ----------
    predicted : mapping from choice of references to array, (subject,)
        Rules; empty where a subject has no references.
    inside : mapping from kind to float
        Share of the training subjects that a least-squares machine identified when this kind was
        held out, each in a training kind that was left out in turn, with half of it as references.
    null : array, (subject,)
        Predictions where labels were permuted within pairs, with all rules as references.
    """

    predicted: Mapping[str, np.ndarray]
    inside: Mapping[str, float]
    null: np.ndarray


Results = Mapping[tuple[str, str, str], KindPredictions]  # by treatment, observable and classifier


def treatments(recorded: Recorded, folder: Path, workers: int) -> Results:
    """Result of each treatment, observable and classifier, stored as one file each."""
    asked = {
        (treatment.name, observable, classifier): treatment
        for treatment, observable in product(TREATMENTS, OBSERVABLES)
        for classifier in treatment.classifiers
    }

    def job(key: tuple[str, str, str]) -> Callable[[], dict[str, Any]]:
        treatment, (_, observable, classifier) = asked[key], key
        if treatment.aligned:
            samples = aligned(recorded.features, observable)
        else:
            samples = recorded.samples(observable)
        return partial(_as_data, treatment, samples, recorded.kinds, classifier)

    files = {key: _file(folder, *key) for key in asked}
    return {key: _read(found) for key, found in stored_each(files, job, workers).items()}


def _file(folder: Path, name: str, observable: str, classifier: str) -> Path:
    words = name.replace(",", "").replace(" ", "_")
    return folder / f"treatments.{words}.{observable}.{classifier}.json"


def _read(found: Mapping[str, Any]) -> KindPredictions:
    predicted = {choice: np.array(names) for choice, names in found["predicted"].items()}
    return KindPredictions(predicted, found["inside"], np.array(found["null"]))


def _as_data(
    treatment: Treatment, samples: Samples, kinds: np.ndarray, classifier: str
) -> dict[str, Any]:
    found = hold_out_kinds(treatment, samples, kinds, classifier)
    predicted = {choice: names.tolist() for choice, names in found.predicted.items()}
    return {"predicted": predicted, "inside": found.inside, "null": found.null.tolist()}


def hold_out_kinds(
    treatment: Treatment, samples: Samples, kinds: np.ndarray, classifier: str
) -> KindPredictions:
    """Predictions of subjects of each kind by a decoder that was trained on all other kinds.

    Parameters
    ----------
    treatment : Treatment
    samples : Samples
        One a subject.
    kinds : array of str, (subject,)
    classifier : str
    """
    predicted: dict[str, np.ndarray] = {}
    inside = {}
    for kind in np.unique(kinds):
        out, rest = np.flatnonzero(kinds == kind), np.flatnonzero(kinds != kind)
        trained = _Trained.of(treatment, samples.take(rest), kinds[rest], classifier)
        if classifier == CLASSIFIER:
            inside[str(kind)] = trained.inside()
        for choice, rows, names in trained.predict(samples.take(out), kinds[out]):
            empty = np.full(len(kinds), "", dtype=object)
            predicted.setdefault(choice, empty)[out[rows]] = names
    return KindPredictions(predicted, inside, _null(treatment, samples, kinds, classifier))


def permuted_labels(samples: Samples) -> np.ndarray:
    """Labels of the null, permuted within pairs, (subject,)."""
    return permuted(samples.labels, samples.pairs, np.random.default_rng(SEED))


def _null(treatment: Treatment, samples: Samples, kinds: np.ndarray, classifier: str) -> np.ndarray:
    """Predictions where labels are permuted; some kinds are held out at once, which is faster."""
    guessing = replace(samples, labels=permuted_labels(samples))
    found = np.full(len(kinds), "", dtype=object)
    for names in np.array_split(np.unique(kinds), min(NULL_GROUPS, len(np.unique(kinds)))):
        held_out = np.isin(kinds, names)
        out, rest = np.flatnonzero(held_out), np.flatnonzero(~held_out)
        trained = _Trained.of(treatment, guessing.take(rest), kinds[rest], classifier)
        for _, rows, predicted in trained.predict(guessing.take(out), kinds[out], null=True):
            found[out[rows]] = predicted
    return found


@dataclass(frozen=True)
class _Trained:
    """A decoder that was trained on some kinds with a treatment."""

    treatment: Treatment
    representation: Representation
    samples: Samples  # as they are
    kinds: np.ndarray
    training: jt.Float[np.ndarray, "subject feature"]  # relative to their kind
    estimator: Any

    @classmethod
    def of(
        cls, treatment: Treatment, samples: Samples, kinds: np.ndarray, classifier: str
    ) -> _Trained:
        representation = treatment.representation.of(samples.values, kinds)
        training = by_kind(representation, samples.values, kinds)
        weights = {}
        if treatment.focus is not None:
            weights = {
                "classify__sample_weight": kind_weights(
                    training, samples.labels, kinds, treatment.focus
                )
            }
        relative = replace(samples, values=training)
        made = CLASSIFIERS[classifier]()
        grid = made.grid("strict", relative)
        estimator = made.estimator(relative, SEED).set_params(**grid[len(grid) // 2])
        with quiet_fits():
            estimator.fit(training, samples.labels, **weights)
        return cls(treatment, representation, samples, kinds, training, estimator)

    def predict(
        self, tested: Samples, kinds: np.ndarray, *, null: bool = False
    ) -> Iterator[tuple[str, Rows, np.ndarray]]:
        """Yield each choice of references, the rows that have some, and their predicted rules.

        With ``null``, yield references of all rules only.
        """
        if not self.treatment.referenced:
            rows = np.arange(len(kinds))
            yield NO_REFERENCES, rows, self.estimator.predict(tested.values)
            return
        choices = (ALL_RULES,) if null else self.treatment.choices
        for choice, rows, values in self._choices(tested, kinds, choices):
            yield choice, rows, self.estimator.predict(values)

    def _choices(
        self, samples: Samples, kinds: np.ndarray, choices: tuple[str, ...] | None
    ) -> Iterator[tuple[str, Rows, np.ndarray]]:
        classes = sorted(set(samples.labels.tolist()))
        return read_choices(self.representation.relative, samples, kinds, classes, SEED, choices)

    def inside(self) -> float:
        """Share of the training subjects that are identified, each kind left out in turn."""
        rows, values = np.arange(len(self.kinds)), None
        if self.treatment.referenced:
            _, rows, relative = next(self._choices(self.samples, self.kinds, (ALL_RULES,)))
            values = self.training.copy()
            values[rows] = relative
        labels = self.samples.labels
        scores = left_out_scores(self.training, labels, self.kinds, values)
        return float((np.unique(labels)[scores.argmax(1)] == labels)[rows].mean())


def kind_weights(
    values: jt.Float[np.ndarray, "subject feature"],
    labels: np.ndarray,
    kinds: np.ndarray,
    focus: float,
) -> jt.Float[np.ndarray, " subject"]:
    """Weight of each training subject, with a mean of 1; see :class:`Treatment`.

    The loss of a kind is the squared error of the scores of a least-squares machine that was fitted
    to the other training kinds.

    References
    ----------
    Sagawa et al. 2020, "Distributionally Robust Neural Networks for Group Shifts" (worst groups).
    """
    names, place, counts = np.unique(kinds, return_inverse=True, return_counts=True)
    weight = np.ones(len(names))
    if focus:
        member = labels[:, None] == np.unique(labels)
        error = ((left_out_scores(values, labels, kinds) - member) ** 2).sum(1)
        loss = np.bincount(place, error) / counts
        weight = np.exp(focus * (loss - loss.mean()) / max(loss.std(), np.finfo(float).eps))
    found: np.ndarray = (weight / counts)[place]
    return np.asarray(found / found.mean())
