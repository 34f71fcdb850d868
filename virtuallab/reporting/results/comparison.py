"""Ranking of recording designs, and sentences on the best of them and on the controls."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
import xarray as xr

from virtuallab.decoder.equivalence import Comparison, compare_accuracies
from virtuallab.decoder.features.samples import pairs_of
from virtuallab.decoder.uncertainty.comparison import accuracy_interval
from virtuallab.decoder.uncertainty.intervals import bonferroni
from virtuallab.labels import label_text
from virtuallab.reporting.style import pretty
from virtuallab.text import percent
from virtuallab.vocabulary import CLASSIFIER, CONTROL, DESIGN, OBSERVABLE, RULE


@dataclass(frozen=True)
class RankedDesign:
    """Accuracy of one design by one classifier from one observable, and its rank.

    Parameters
    ----------
    place : int
        1 is the best.
    design, observable, classifier : str
    value, low, high : float
        Balanced accuracy and its interval.
    behind : float
        Accuracy of the best minus this accuracy, in the same subjects.
    least_behind, most_behind : float
        Bounds of this difference.
    """

    place: int
    design: str
    observable: str
    classifier: str
    value: float
    low: float
    high: float
    behind: float
    least_behind: float
    most_behind: float

    @property
    def rank_mark(self) -> str:
        """How far it is below the best; ``=`` if that is in the margin, ``?`` if undecided."""
        best = compare_accuracies(self.least_behind, self.most_behind)
        if best is Comparison.HIGHER:
            return f"{self.behind:.2f}"
        return "=" if best.is_no_higher else "?"


def ranking(found: xr.Dataset) -> list[RankedDesign]:
    """Designs in order of accuracy, the best first."""
    rows = []
    dims = (DESIGN, OBSERVABLE, CLASSIFIER)
    for names in product(*(found[dim].values for dim in dims)):
        one = found.sel(dict(zip(dims, names, strict=True)))
        value = float(one["balanced_accuracy"])
        if np.isnan(value):
            continue
        low, high = map(float, one["interval"].values)
        behind, (least, most) = float(one["shortfall"]), map(float, one["shortfall_interval"])
        design, observable, classifier = map(str, names)
        rows.append((design, observable, classifier, value, low, high, behind, least, most))
    rows.sort(key=lambda row: -row[3])
    return [RankedDesign(place, *row) for place, row in enumerate(rows, start=1)]


def corrected_interval(one: xr.Dataset, count: int, confidence: float) -> tuple[float, float]:
    """Bounds of an accuracy chosen as the best of ``count``; NaN if it was not measured.

    ``one`` is one design, observable and classifier, with ``identified(subject)``, the coordinate
    ``rule``, in a paired design also ``pair``, and the attribute ``seeds``.
    """
    right = one["identified"].to_numpy().astype(float)
    if not np.isfinite(right).all():
        return np.nan, np.nan
    corrected = bonferroni(confidence, count)
    repeats = int(one.attrs["seeds"])
    return accuracy_interval(
        right, label_text(one[RULE]), corrected, repeats=repeats, pairs=pairs_of(one)
    )


def best_sentence(found: xr.Dataset) -> str:
    """Sentence on the best design, its interval corrected for the choice; empty for one design."""
    first, *rest = ranking(found)
    if not rest:
        return ""
    count, confidence = len(rest) + 1, float(found.attrs["confidence"])
    at = {DESIGN: first.design, OBSERVABLE: first.observable, CLASSIFIER: first.classifier}
    low, high = corrected_interval(found.sel(at), count, confidence)
    return (
        f"The best of {count} accuracies is biased upwards. {first.design}: {first.value:.2f} "
        f"({percent(confidence)} interval, corrected for {count} comparisons, {low:.2f} to "
        f"{high:.2f})."
    )


def controls_sentence(found: xr.Dataset) -> str:
    """Sentence on the mean accuracy of each control over designs; empty without controls."""
    if "control_accuracy" not in found:
        return ""
    chance = float(found.attrs["chance"])
    parts = []
    for control in map(str, found[CONTROL].values):
        values = found["control_accuracy"].sel({CONTROL: control}).values
        values = values[np.isfinite(values)]
        if values.size:  # designs without visit 0 lack its control
            parts.append(f"{pretty(control)} {values.mean():.3f} (highest {values.max():.2f})")
    if not parts:
        return ""
    return f"Controls, mean accuracy over designs: {', '.join(parts)}. Chance is {chance:.3f}."
