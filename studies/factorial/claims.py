"""Verdicts on the claims of Nayebi et al. 2020, and on the controls that the publication lacks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Final

import numpy as np
import xarray as xr

from studies import probe_designs
from studies.factorial.accuracies import (
    Accuracy,
    difference,
    held_out_accuracy,
    strict_accuracy,
)
from studies.factorial.controls import controls
from studies.factorial.importance import (
    largest_confusion,
    largest_part,
    late_minus_early,
    share_of,
)
from studies.factorial.layers import (
    BY_LAYER,
    BY_SUBJECT,
    CENTRES,
    REST,
    WITHOUT_DEPTH,
    LayerResult,
    accuracy,
    less,
)
from studies.factorial.predictions import (
    CLASSIFIER,
    NETWORK,
    Task,
    read_draws,
    read_predictions,
)
from studies.factorial.subjects import OF_KINDS, Recorded
from studies.factorial.verdicts import Part, Verdict, above, equal, not_below, together, verdict_of
from virtuallab.reporting.style import pretty

MEASURED: Final = ("activity", "weights", "activity_change")
_CLASSIFIERS: Final = ("logistic_regression", CLASSIFIER, "random_forest", NETWORK)


@dataclass(frozen=True)
class Evidence:
    """All that claims are judged by.

    Parameters
    ----------
    complete, sampled : Recorded
        Recordings of all units, and of 300 units and weights.
    complete_folder, sampled_folder : Path
        Their predictions.
    layers : mapping from (observable, variant) to LayerResult
        Published scheme, complete recordings.
    designs : xr.Dataset or None
        Comparison of recording designs by :func:`virtuallab.compare`, if it was asked for.
    workers : int
    """

    complete: Recorded
    sampled: Recorded
    complete_folder: Path
    sampled_folder: Path
    layers: dict[tuple[str, str], LayerResult]
    designs: xr.Dataset | None
    workers: int

    @property
    def chance(self) -> float:
        """Accuracy of guessing."""
        return 1 / len(self.complete.classes)

    def draws(self, observable: str, classifier: str = CLASSIFIER) -> list[np.ndarray]:
        """Predictions of the strict scheme from complete recordings."""
        return read_draws(observable, classifier, self.complete_folder)

    def strict(self, observable: str, classifier: str = CLASSIFIER) -> Accuracy:
        """Accuracy of the strict scheme from complete recordings."""
        return strict_accuracy(self.complete, self.draws(observable, classifier))

    def held_out(self, split: str, observable: str = "all") -> Accuracy:
        """Accuracy on groups that are held out in turn."""
        return held_out_accuracy(self.complete, split, self._without(split, observable))

    def lost(self, split: str, observable: str = "all") -> Accuracy:
        """Strict accuracy minus that on held-out groups, in the same subjects."""
        clusters = self.complete.kinds if split in OF_KINDS else None
        return difference(
            self.complete, self.draws(observable), [self._without(split, observable)], clusters
        )

    def _without(self, split: str, observable: str) -> np.ndarray:
        return read_predictions(Task(observable, CLASSIFIER, split), self.complete_folder)


@dataclass(frozen=True)
class Claim:
    """A claim, and the comparisons that it consists of.

    Parameters
    ----------
    name, text : str
    parts : callable
        Yields the comparisons.
    """

    name: str
    text: str
    parts: Callable[[Evidence], Iterator[Part]]


def _separable(of: Evidence) -> Iterator[Part]:
    for observable in MEASURED:
        yield above(pretty(observable), of.strict(observable), of.chance)
    for observable in MEASURED:
        found = of.layers[observable, BY_SUBJECT]
        yield above(
            f"layers, {pretty(observable)}", accuracy(of.complete, found.correct), of.chance
        )


def _by_classifiers(of: Evidence) -> Iterator[Part]:
    for classifier in _CLASSIFIERS:
        yield above(pretty(classifier), of.strict("all", classifier), of.chance)
    forest = of.draws("all", "random_forest")
    yield not_below(
        "random forest minus logistic regression",
        difference(of.complete, forest, of.draws("all", "logistic_regression")),
    )


def _ordered(of: Evidence) -> Iterator[Part]:
    activity, weights, change, every = (of.draws(o) for o in (*MEASURED, "all"))
    yield above("weights minus activity", difference(of.complete, weights, activity), signed=True)
    yield above(
        "activity minus activity change",
        difference(of.complete, activity, change),
        signed=True,
    )
    best = max((weights, activity), key=lambda draws: strict_accuracy(of.complete, draws).value)
    yield above(
        "all minus the better of weights and activity",
        difference(of.complete, every, best),
        signed=True,
    )


def _confused(of: Evidence) -> Iterator[Part]:
    for observable in ("activity", "weights", "all"):
        pair, found = largest_confusion(of.complete, of.draws(observable), ("adam", "sgdm"))
        name = f"{pretty(observable)}: Adam and SGDM minus {pair[0]} and {pair[1]}"
        yield above(name, found, signed=True)


def _new_groups(split: str) -> Callable[[Evidence], Iterator[Part]]:
    def parts(of: Evidence) -> Iterator[Part]:
        name = f"held-out {split.replace('_', ' ')}"
        yield above(name, of.held_out(split), of.chance)
        yield above(f"known minus {name}", of.lost(split), signed=True)

    return parts


def _other_curricula(of: Evidence) -> Iterator[Part]:
    for split in ("batch_size", "data_seed"):
        yield equal(f"known minus held-out {split.replace('_', ' ')}", of.lost(split))


def _few_statistics(of: Evidence) -> Iterator[Part]:
    found = of.layers["all", BY_SUBJECT]
    share = share_of(of.complete, "weights", of.layers["weights", BY_SUBJECT])
    yield above(
        "importance of medians and norms minus their share of the columns", share, signed=True
    )
    gain = less(of.complete, found.permuted[REST], found.permuted[CENTRES])
    yield above(
        "accuracy lost with them minus lost with other statistics of weights", gain, signed=True
    )


def _over_training(of: Evidence) -> Iterator[Part]:
    found = of.layers["activity", BY_SUBJECT]
    part = largest_part(of.complete, "activity", found)
    yield above("0.5 minus the largest share of a third of the visits", part, signed=True)
    late = late_minus_early(of.complete, "activity", "actraw_median", found)
    yield above("median of raw activity, last third minus first third", late, signed=True)


def _recorded_by(of: Evidence, observable: str, name: str, **settings: float) -> xr.DataArray:
    """Subjects that are identified from an observable of a recording design."""
    assert of.designs is not None
    design = probe_designs.named(of.designs, name, **settings)
    return probe_designs.identified(of.designs, design, observable)


def _apart(one: xr.DataArray, other: xr.DataArray) -> Accuracy:
    return Accuracy(*probe_designs.difference(one, other))


def _sparse(of: Evidence) -> Iterator[Part]:
    for observable, count in product(("activity", "weights"), (3, 5)):
        spread = _recorded_by(of, observable, "sparse", visits=count)
        for window in ("early", "middle", "late"):
            gain = _apart(spread, _recorded_by(of, observable, window, visits=count))
            name = f"{observable}, {count} visits spread minus {window}"
            yield above(name, gain, signed=True)


def _undersampled(of: Evidence) -> Iterator[Part]:
    every, some = of.draws("activity"), read_draws("activity", CLASSIFIER, of.sampled_folder)
    yield equal("all units minus 300 units", difference(of.complete, every, some))
    most, few = (_recorded_by(of, "activity", "activity", units=units) for units in (300, 100))
    yield equal("300 units minus 100 units", _apart(most, few))


def _noisy(of: Evidence) -> Iterator[Part]:
    for sigma in (0.01, 0.1, 1.0):
        activity = _recorded_by(of, "activity", "activity_sigma", noise__sigma=sigma)
        weights = _recorded_by(of, "weights", "weights_sigma", noise__sigma=sigma)
        name = f"activity minus weights, sigma {sigma:g}"
        yield above(name, _apart(activity, weights), signed=True)
    for snr in (10.0, 1.0, 0.1):
        activity = _recorded_by(of, "activity", "activity_noisy", noise__snr=snr, units=300)
        weights = _recorded_by(of, "weights", "weights_noisy", noise__snr=snr, synapses=300)
        name = f"activity minus weights, snr {snr:g}"
        yield above(name, _apart(activity, weights), signed=True)


def _depth(of: Evidence) -> Iterator[Part]:
    found = of.layers["all", BY_SUBJECT]
    without = of.layers["all", WITHOUT_DEPTH]
    gain = less(of.complete, found.correct, without.correct)
    yield equal("with minus without depth", gain, 0.02)
    depth = found.importance[:, :3].sum(1)
    yield Part(f"importance {depth.mean():.4f}", verdict_of(depth.max() < 0.03, depth.min() > 0.03))


def _all_three(of: Evidence) -> Iterator[Part]:
    for name, parts in (("Q9", _sparse), ("Q10", _undersampled), ("Q11", _noisy)):
        verdict = together(parts(of))
        yield Part(f"{name} {verdict}", verdict)


def _control(name: str) -> Callable[[Evidence], Iterator[Part]]:
    def parts(of: Evidence) -> Iterator[Part]:
        found = controls(of.sampled, of.sampled_folder, of.workers)
        for observable, results in found.items():
            result = results[name]
            if not result.evaluated:
                yield Part(f"{pretty(observable)} not evaluated", "undecided")
                continue
            value = Accuracy(result.accuracy, result.low, result.high)
            verdict: Verdict = "holds" if result.passed else "does not hold"
            yield Part(f"{pretty(observable)} {value}", verdict)

    return parts


def _kept_together(of: Evidence) -> Iterator[Part]:
    for observable in (*MEASURED, "all"):
        divided, apart = (of.layers[observable, how].correct for how in (BY_LAYER, BY_SUBJECT))
        name = f"{pretty(observable)}, layers divided minus subjects kept together"
        yield equal(name, less(of.complete, divided, apart))


_OF_DESIGNS: Final = (_sparse, _undersampled, _noisy, _all_three)
CLAIMS: Final = (
    Claim("Q1", "Four rules are separable from statistics of each observable", _separable),
    Claim("Q2", "Linear and simple non-linear classifiers suffice", _by_classifiers),
    Claim(
        "Q3",
        "Weights are better than activity, activity than activity change; all together are best",
        _ordered,
    ),
    Claim("Q4", "Adam and SGDM are confused most", _confused),
    Claim(
        "Q5",
        "Verdicts carry over to new architectures, less accurately",
        _new_groups("architecture"),
    ),
    Claim(
        "Q6 A",
        "They carry over to other batch sizes and orders of the data, equally accurately",
        _other_curricula,
    ),
    Claim("Q6 B", "They carry over to new tasks, less accurately", _new_groups("task")),
    Claim("Q7", "Medians and norms carry most of what weights tell", _few_statistics),
    Claim(
        "Q8",
        "Importance is spread over training; that of the median of activity is late",
        _over_training,
    ),
    Claim("Q9", "Visits spread over training are better than as many in one part", _sparse),
    Claim("Q10", "A few hundred units suffice", _undersampled),
    Claim("Q11", "Activity is more robust to noise than weights", _noisy),
    Claim(
        "Q12", "Activity of hundreds of units at widely spaced visits is a good basis", _all_three
    ),
    Claim("Q13", "The depth of a layer contributes little", _depth),
    Claim("C1", "Visit 0 alone is at chance", _control("visit_0")),
    Claim("C2", "Permuted labels are at chance", _control("permuted_labels")),
    Claim(
        "C3", "Layers of a subject in training and test do not raise the accuracy", _kept_together
    ),
    Claim(
        "C4",
        "Rules are identified among subjects of equal performance",
        _control("performance_matched"),
    ),
    Claim("C5", "Schedules do not differ between rules", _control("schedule")),
)


def claims_rows(of: Evidence) -> Iterator[list[str]]:
    """Yield the name, the claim, its comparisons and the verdict of each claim.

    Claims on recording designs are left out if these were not compared.
    """
    for claim in CLAIMS:
        if claim.parts in _OF_DESIGNS and of.designs is None:
            continue
        parts = list(claim.parts(of))
        yield [
            claim.name,
            claim.text,
            "; ".join(part.text for part in parts),
            together(parts),
        ]
