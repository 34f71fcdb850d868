"""Accuracy on kinds that no decoder was trained on, with and without references of the kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any, Final

import numpy as np
from sklearn.metrics import balanced_accuracy_score

from studies.factorial.accuracies import CONFIDENCE, Accuracy
from studies.factorial.predictions import CLASSIFIER, INNER_FOLDS, SEED, stored_each
from studies.factorial.subjects import OBSERVABLES, Recorded
from virtuallab.decoder.features.centring import Centres
from virtuallab.decoder.features.samples import Samples
from virtuallab.decoder.model_selection import fit, nested, splits_of
from virtuallab.decoder.schemes.cross_validation import HeldOutGroup
from virtuallab.decoder.schemes.referenced import cross_validate_referenced
from virtuallab.decoder.uncertainty.intervals import balanced_accuracy, interval
from virtuallab.registry import CLASSIFIERS

REFERENCED_SPLITS: Final = ("kind", "architecture", "family", "task")
NUMBERS: Final = (2, 4, 8, 12, 16, 20)  # kinds to train on
DRAWS: Final = 10
CURVES: Final = ("activity", "all")  # observables
_EQUAL: Final = 96  # subjects in all training sets, where numbers of kinds are compared


def referenced(
    samples: Samples, kinds: np.ndarray, groups: np.ndarray, classes: list[str]
) -> Mapping[tuple[str, str], HeldOutGroup]:
    """Result of each choice of references, in each group that is held out."""
    return cross_validate_referenced(
        CLASSIFIERS[CLASSIFIER](),
        samples,
        kinds,
        groups,
        classes,
        inner_folds=INNER_FOLDS,
        seed=SEED,
    )


def references(
    recorded: Recorded, folder: Path, workers: int
) -> dict[tuple[str, str], dict[str, Accuracy]]:
    """Accuracy over held-out groups, by observable and choice of references, and by split."""

    def job(asked: tuple[str, str]) -> Callable[[], dict[str, list[float]]]:
        observable, split = asked
        samples, groups = recorded.samples(observable), recorded.groups(split)
        return partial(_by_choice, samples, recorded.kinds, groups, recorded.classes)

    files = {
        (observable, split): folder / f"references.{observable}.{split}.json"
        for observable, split in product(OBSERVABLES, REFERENCED_SPLITS)
    }
    found: dict[tuple[str, str], dict[str, Accuracy]] = {}
    for (observable, split), of_choices in stored_each(files, job, workers).items():
        for choice, values in of_choices.items():
            found.setdefault((observable, choice), {})[split] = Accuracy(*values)
    return found


def _by_choice(
    samples: Samples, kinds: np.ndarray, groups: np.ndarray, classes: list[str]
) -> dict[str, list[float]]:
    """Accuracy and its bounds, by choice of references."""
    results = referenced(samples, kinds, groups, classes)
    return {
        choice: _over_groups([r for (c, _), r in results.items() if c == choice])
        for choice in dict.fromkeys(choice for choice, _ in results)
    }


def _over_groups(results: list[HeldOutGroup]) -> list[float]:
    """Accuracy over all groups and its interval, with groups as clusters."""
    confusion, effect = HeldOutGroup.pooled(results)
    bounds = interval(confusion, CONFIDENCE, repeats=None, effect=effect)
    return [balanced_accuracy(confusion), *bounds]


def curves(recorded: Recorded, folder: Path, workers: int) -> dict[tuple[str, bool], list[Point]]:
    """Points of :func:`curve`, by observable, and by whether numbers of subjects are equal."""

    def job(asked: tuple[str, bool]) -> Callable[[], list[dict[str, Any]]]:
        observable, equal = asked
        return partial(_points, recorded.samples(observable), recorded.kinds, equal)

    files = {
        (observable, equal): folder / f"numbers.{observable}.{'equal' if equal else 'all'}.json"
        for observable, equal in product(CURVES, (False, True))
    }
    each = stored_each(files, job, workers)
    return {asked: [Point(**point) for point in points] for asked, points in each.items()}


def _points(samples: Samples, kinds: np.ndarray, equal: bool) -> list[dict[str, Any]]:
    return [asdict(point) for point in curve(samples, kinds, equal=equal)]


def mean_spread(values: list[float]) -> str:
    """Mean over draws of the kinds, with its standard deviation."""
    return f"{np.mean(values):.2f} (sd {np.std(values, ddof=1):.2f})"


@dataclass(frozen=True)
class Point:
    """Accuracy on kinds not in training, for a number of training kinds.

    Parameters
    ----------
    kinds : int
        Number of kinds in training.
    subjects : int
        Number of subjects in training.
    draw : int
        Draw of the kinds.
    plain, centred : float
        Balanced accuracy on all other kinds: of features as they are, and relative to the centre
        of the other half of the kind's subjects.
    """

    kinds: int
    subjects: int
    draw: int
    plain: float
    centred: float


def curve(samples: Samples, kinds: np.ndarray, *, equal: bool) -> list[Point]:
    """Accuracy on new kinds over the number of training kinds.

    Parameters
    ----------
    samples : Samples
        One a subject.
    kinds : array of str, (subject,)
    equal : bool
        Train on as many subjects whatever the number of kinds, so that each has fewer.
    """
    names = np.unique(kinds)
    found = []
    numbers = [number for number in NUMBERS if number < len(names)]
    for draw, number in product(range(DRAWS), numbers):
        stream = np.random.default_rng([SEED, draw])
        chosen = stream.permutation(names)[:number]  # more kinds include those of fewer
        inside = np.flatnonzero(np.isin(kinds, chosen))
        if equal:
            inside = _thinned(samples, kinds, inside, _EQUAL // number, stream)
        outside = np.flatnonzero(~np.isin(kinds, chosen))
        tested = samples.take(outside)
        known = samples.take(inside)
        plain, centred = (
            float(balanced_accuracy_score(tested.labels, predicted))
            for predicted in (
                predicted_plain(known, tested),
                predicted_centred(known, kinds[inside], tested, kinds[outside]),
            )
        )
        found.append(Point(number, len(inside), draw, plain, centred))
    return found


def _thinned(
    samples: Samples, kinds: np.ndarray, rows: np.ndarray, each: int, stream: np.random.Generator
) -> np.ndarray:
    """Some subjects of every kind, as many of each rule as can be."""
    kept: list[int] = []
    for kind in np.unique(kinds[rows]):
        mine = stream.permutation(rows[kinds[rows] == kind])
        of_rule = [mine[samples.labels[mine] == rule] for rule in np.unique(samples.labels)]
        in_turn = [r[place] for place in range(len(mine)) for r in of_rule if place < len(r)]
        kept += in_turn[:each]
    return np.array(sorted(kept))


def predicted_plain(training: Samples, tested: Samples) -> np.ndarray:
    """Predicted rules of other subjects from features as they are, (subject,).

    Parameters
    ----------
    training, tested : Samples
        One a subject.
    """
    found: np.ndarray = _trained(training).predict(tested.values)
    return found


def predicted_centred(
    training: Samples, training_kinds: np.ndarray, tested: Samples, kinds: np.ndarray
) -> np.ndarray:
    """Predicted rules of subjects of other kinds from features relative to their kind, (subject,).

    The references of a tested subject are the other half of the subjects of its kind, of all rules.

    Parameters
    ----------
    training, tested : Samples
        One a subject. Each tested kind has two pairs or more.
    training_kinds, kinds : array of str, (subject,)
        Kinds of the subjects of both.
    """
    centres = Centres.of(training.values, training_kinds)
    centred = replace(training, values=centres.centred(training.values, training_kinds))
    relative = _relative_to_halves(tested, kinds, centres)
    found: np.ndarray = _trained(centred).predict(relative)
    return found


def _trained(samples: Samples) -> Any:
    return fit(nested(CLASSIFIERS[CLASSIFIER](), samples, INNER_FOLDS, SEED), samples)


def _relative_to_halves(tested: Samples, kinds: np.ndarray, centres: Centres) -> np.ndarray:
    """Values relative to the centre of the other half of each kind."""
    values = tested.values.copy()
    for kind in np.unique(kinds):
        mine = np.flatnonzero(kinds == kind)
        for references, half in splits_of(tested.take(mine), 2, SEED):
            values[mine[half]] -= centres.centre(tested.values[mine[references]])
    return values
