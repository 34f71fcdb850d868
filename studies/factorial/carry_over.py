"""Accuracy on kinds that no decoder was trained on, with and without references of the kind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from itertools import product
from pathlib import Path
from typing import Any, Final

import numpy as np
from joblib import Parallel, delayed
from sklearn.metrics import balanced_accuracy_score

from studies.factorial.accuracies import CONFIDENCE, Accuracy
from studies.factorial.predictions import CLASSIFIER, INNER_FOLDS, SEED, stored
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
    recorded: Recorded, observable: str, classifier: str, split: str
) -> Mapping[tuple[str, str], HeldOutGroup]:
    """Result of each choice of references, in each group that is held out."""
    return cross_validate_referenced(
        CLASSIFIERS[classifier](),
        recorded.samples(observable),
        recorded.kinds,
        recorded.groups(split),
        recorded.classes,
        inner_folds=INNER_FOLDS,
        seed=SEED,
    )


def references(
    recorded: Recorded, folder: Path, workers: int
) -> dict[tuple[str, str], dict[str, Accuracy]]:
    """Accuracy over held-out groups, by observable and choice of references, and by split."""
    asked = [(o, split) for o in OBSERVABLES for split in REFERENCED_SPLITS]
    each = Parallel(n_jobs=workers)(
        delayed(_stored_references)(recorded, folder, *one) for one in asked
    )
    found: dict[tuple[str, str], dict[str, Accuracy]] = {}
    for (observable, split), of_choices in zip(asked, each, strict=True):
        for choice, values in of_choices.items():
            found.setdefault((observable, choice), {})[split] = Accuracy(*values)
    return found


def _stored_references(
    recorded: Recorded, folder: Path, observable: str, split: str
) -> dict[str, list[float]]:
    """Accuracy and its bounds, by choice of references."""

    def compute() -> dict[str, list[float]]:
        results = referenced(recorded, observable, CLASSIFIER, split)
        return {
            choice: _over_groups([r for (c, _), r in results.items() if c == choice])
            for choice in dict.fromkeys(choice for choice, _ in results)
        }

    found: dict[str, list[float]] = stored(
        folder / f"references.{observable}.{split}.json", compute
    )
    return found


def _over_groups(results: list[HeldOutGroup]) -> list[float]:
    """Accuracy over all groups and its interval, with groups as clusters."""
    confusion, effect = HeldOutGroup.pooled(results)
    bounds = interval(confusion, CONFIDENCE, repeats=None, effect=effect)
    return [balanced_accuracy(confusion), *bounds]


def curves(recorded: Recorded, folder: Path, workers: int) -> dict[tuple[str, bool], list[Point]]:
    """Points of :func:`curve`, by observable, and by whether numbers of subjects are equal."""
    asked = [(observable, equal) for observable in CURVES for equal in (False, True)]
    each = Parallel(n_jobs=workers)(delayed(_stored_curve)(recorded, folder, *o) for o in asked)
    return {
        one: [Point(**point) for point in found] for one, found in zip(asked, each, strict=True)
    }


def _stored_curve(
    recorded: Recorded, folder: Path, observable: str, equal: bool
) -> list[dict[str, Any]]:
    def compute() -> list[dict[str, Any]]:
        return [asdict(p) for p in curve(recorded, observable, CLASSIFIER, equal=equal)]

    name = "equal" if equal else "all"
    found: list[dict[str, Any]] = stored(folder / f"numbers.{observable}.{name}.json", compute)
    return found


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


def curve(recorded: Recorded, observable: str, classifier: str, *, equal: bool) -> list[Point]:
    """Accuracy on new kinds over the number of training kinds.

    Parameters
    ----------
    recorded : Recorded
    observable, classifier : str
    equal : bool
        Train on as many subjects whatever the number of kinds, so that each has fewer.
    """
    samples, kinds = recorded.samples(observable), recorded.kinds
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
        plain, centred = _accuracies(samples, kinds, inside, outside, classifier)
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


def _accuracies(
    samples: Samples, kinds: np.ndarray, inside: np.ndarray, outside: np.ndarray, classifier: str
) -> tuple[float, float]:
    training, tested = samples.take(inside), samples.take(outside)
    made = CLASSIFIERS[classifier]()
    plain = fit(nested(made, training, INNER_FOLDS, SEED), training)
    centres = Centres.of(training.values, kinds[inside])
    centred = replace(training, values=centres.centred(training.values, kinds[inside]))
    other = fit(nested(made, centred, INNER_FOLDS, SEED), centred)
    relative = relative_to_halves(tested, kinds[outside], centres)
    return (
        float(balanced_accuracy_score(tested.labels, plain.predict(tested.values))),
        float(balanced_accuracy_score(tested.labels, other.predict(relative))),
    )


def relative_to_halves(tested: Samples, kinds: np.ndarray, centres: Centres) -> np.ndarray:
    """Values relative to the centre of the other half of each kind."""
    values = tested.values.copy()
    for kind in np.unique(kinds):
        mine = np.flatnonzero(kinds == kind)
        for references, half in splits_of(tested.take(mine), 2, SEED):
            values[mine[half]] -= centres.centre(tested.values[mine[references]])
    return values
