"""The designs that are compared, and one table of what came of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from virtuallab.decoder.controls import OF_DESIGNS
from virtuallab.decoder.features.samples import pairs_of
from virtuallab.decoder.uncertainty.comparison import accuracy_interval, balanced, shortfall
from virtuallab.lab.designs.decode_designs import DecodedDesign
from virtuallab.lab.designs.design_evaluation import measured
from virtuallab.lab.planning.plan import Sizes
from virtuallab.labels import label_text
from virtuallab.protocol import Compare, DesignPoint, design_points
from virtuallab.protocol.settings.plugin_spec import plain
from virtuallab.text import short
from virtuallab.vocabulary import (
    CLASSIFIER,
    CONTROL,
    DESIGN,
    OBSERVABLE,
    RULE,
    SEED,
    SUBJECT,
    describe,
)

_COUNTED = ("units", "synapses", "visits", "stimuli")


@dataclass(frozen=True)
class NamedDesign:
    """One design that is compared."""

    name: str
    point: DesignPoint

    @property
    def label(self) -> str:
        """Name the design, with the settings that vary."""
        varied = ", ".join(f"{path} {_short(value)}" for path, value in self.point.settings.items())
        return f"{self.name}: {varied}" if varied else self.name


def named_designs(how: Compare) -> list[NamedDesign]:
    """Every design of a comparison, grids opened out."""
    return [
        NamedDesign(name, point)
        for name, each in how.designs.items()
        for point in design_points(each)
    ]


def observables_of(how: Compare, point: DesignPoint, n_visits: int) -> tuple[str, ...]:
    """Observables of a design that are decoded, where ``n_visits`` visits are preserved."""
    if how.observables is None:
        return measured(point.probe)
    there = point.probe.resolved.readable(n_visits)
    return tuple(name for name in how.observables if name == "all" or name in there)


def comparison_table(
    how: Compare,
    designs: Sequence[NamedDesign],
    came: Sequence[DecodedDesign],
    subjects: xr.Dataset,
    sizes: Sequence[Sizes],
) -> xr.Dataset:
    """Table of the accuracies of all designs; see :func:`virtuallab.compare`.

    Parameters
    ----------
    how : Compare
    designs : sequence of NamedDesign
    came : sequence of DecodedDesign
        Of each design's seeds, design after design.
    subjects : xr.Dataset
        Coordinates of those that were recorded: ``subject``, ``rule`` and, in a paired design,
        ``pair``.
    sizes : sequence of Sizes
        Of each make of subject.
    """
    labels, pairs = label_text(subjects[RULE]), pairs_of(subjects)
    asked = dict.fromkeys(key for answer in came for key in answer.right)
    observables = list(dict.fromkeys(observable for observable, _ in asked))
    cells = (len(designs), len(observables), len(how.classifiers))
    by_seed = np.full((*cells, how.seeds), np.nan)
    mean, bounds = np.full(cells, np.nan), np.full((*cells, 2), np.nan)
    behind = np.full((*cells, 3), np.nan)
    controls = np.full((*cells, len(OF_DESIGNS)), np.nan)
    rights: dict[tuple[int, int, int], np.ndarray] = {}
    for number in range(len(designs)):
        of_seeds = came[number * how.seeds : (number + 1) * how.seeds]
        for (name, classifier), _ in of_seeds[0].right.items():
            place = (number, observables.index(name), how.classifiers.index(classifier))
            each = np.stack([answer.right[name, classifier] for answer in of_seeds]).astype(float)
            rights[place] = each.mean(0)
            by_seed[place] = balanced(each, labels)
            mean[place] = by_seed[place].mean()
            bounds[place] = accuracy_interval(
                rights[place], labels, how.confidence, repeats=how.seeds, pairs=pairs
            )
            for column, control in enumerate(OF_DESIGNS):
                right = of_seeds[0].controls.get((control, name, classifier))
                if right is not None:
                    controls[(*place, column)] = balanced(right.astype(float), labels)
    identified = np.full((*cells, len(labels)), np.nan, dtype=np.float32)
    distances = shortfall(
        np.stack(list(rights.values())),
        labels,
        how.confidence,
        repeats=how.seeds,
        pairs=pairs,
    )
    for place, distance in zip(rights, distances, strict=True):
        behind[place] = distance
        identified[place] = rights[place]
    dims = (DESIGN, OBSERVABLE, CLASSIFIER)
    variables: dict[str, Any] = {
        "balanced_accuracy": (dims, mean),
        "interval": ((*dims, "bound"), bounds),
        "accuracy_by_seed": ((*dims, SEED), by_seed),
        "shortfall": (dims, behind[..., 0]),
        "shortfall_interval": ((*dims, "bound"), behind[..., 1:]),
        "identified": ((*dims, SUBJECT), identified),
    }
    if how.controls:
        variables["control_accuracy"] = ((*dims, CONTROL), controls)
    found = xr.Dataset(
        {k: (*v, describe(k)) for k, v in variables.items()},
        coords={
            DESIGN: np.array([each.label for each in designs], dtype=object),
            "design_name": (DESIGN, np.array([each.name for each in designs], dtype=object)),
            OBSERVABLE: np.array(observables, dtype=object),
            CLASSIFIER: np.array(how.classifiers, dtype=object),
            "bound": np.array(["low", "high"], dtype=object),
            SEED: np.arange(how.seeds),
            **subjects.coords,
            **({CONTROL: np.array(OF_DESIGNS, dtype=object)} if how.controls else {}),
            **{
                path: (DESIGN, _column(designs, path, sizes), describe(path))
                for path in _varied(designs)
            },
        },
    )
    return found.assign_attrs(
        chance=1 / len(set(labels.tolist())),
        n_subjects=len(labels),
        confidence=how.confidence,
        seeds=how.seeds,
    )


def _varied(designs: Sequence[NamedDesign]) -> list[str]:
    return list(dict.fromkeys(path for each in designs for path in each.point.settings))


def _column(designs: Sequence[NamedDesign], path: str, sizes: Sequence[Sizes]) -> np.ndarray:
    """One setting of every design: numbers where all are, words else; empty where it is not set.

    Of visits, units and the like, how many they are, the mean over the makes of subjects.
    """
    if path in _COUNTED:
        counts = [
            np.mean([each.point.probe.resolved.amounts(*size)[path] for size in sizes])
            if path in each.point.settings
            else np.nan
            for each in designs
        ]
        return np.array(counts, dtype=np.float64)
    values = [each.point.settings.get(path) for each in designs]
    if all(value is None or isinstance(value, int | float) for value in values):
        return np.array([np.nan if value is None else float(value) for value in values])
    return np.array(["" if value is None else _short(value) for value in values], dtype=object)


def _short(value: Any) -> str:
    return short(plain(value), digits=4)
