"""Ranking of recording designs, and what it amounts to in sentences."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
import xarray as xr

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
        How far it is below the best, in the same subjects.
    least_behind : float
        Lower bound of that.
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

    @property
    def is_tied(self) -> bool:
        """Whether it cannot be told from the best."""
        return self.least_behind <= 0


def ranking(found: xr.Dataset) -> list[RankedDesign]:
    """Every design by its accuracy, the best first.

    Parameters
    ----------
    found : xr.Dataset
        As :func:`virtuallab.lab.designs.compare.compare` returns it.
    """
    rows = []
    dims = (DESIGN, OBSERVABLE, CLASSIFIER)
    for names in product(*(found[dim].values for dim in dims)):
        one = found.sel(dict(zip(dims, names, strict=True)))
        value = float(one["balanced_accuracy"])
        if np.isnan(value):
            continue
        low, high = map(float, one["interval"].values)
        behind, least = float(one["shortfall"]), float(one["shortfall_interval"][0])
        design, observable, classifier = map(str, names)
        rows.append((design, observable, classifier, value, low, high, behind, least))
    rows.sort(key=lambda row: -row[3])
    return [RankedDesign(place, *row) for place, row in enumerate(rows, start=1)]


def corrected_interval(one: xr.Dataset, count: int, confidence: float) -> tuple[float, float]:
    """Interval of an accuracy that was chosen as the best of several; NaN if it was not measured.

    Parameters
    ----------
    one : xr.Dataset
        One design, observable and classifier, with ``identified(subject)``, the coordinate ``rule``
        and the attribute ``seeds``.
    count : int
        Among how many it was chosen.
    confidence : float

    Returns
    -------
    low, high : float
    """
    right = one["identified"].to_numpy().astype(float)
    if not np.isfinite(right).all():
        return np.nan, np.nan
    severe = bonferroni(confidence, count)
    return accuracy_interval(right, label_text(one[RULE]), severe, repeats=int(one.attrs["seeds"]))


def best_sentence(found: xr.Dataset) -> str:
    """The best design with an interval corrected for the choice; empty if there is only one."""
    first, *rest = ranking(found)
    if not rest:
        return ""
    count, confidence = len(rest) + 1, float(found.attrs["confidence"])
    at = {DESIGN: first.design, OBSERVABLE: first.observable, CLASSIFIER: first.classifier}
    low, high = corrected_interval(found.sel(at), count, confidence)
    return (
        f"The best of {count} had luck on its side: with an interval corrected for {count} "
        f"comparisons, {first.design} reaches {first.value:.2f} ({percent(confidence)} interval "
        f"{low:.2f} to {high:.2f})."
    )


def controls_sentence(found: xr.Dataset) -> str:
    """The mean accuracy of each control over designs; empty if no control was decoded."""
    if "control_accuracy" not in found:
        return ""
    chance = float(found.attrs["chance"])
    parts = []
    for control in map(str, found[CONTROL].values):
        values = found["control_accuracy"].sel({CONTROL: control}).values
        values = values[np.isfinite(values)]
        if values.size:  # with a single visit there is no control of visit 0
            parts.append(f"{pretty(control)} {values.mean():.3f} (highest {values.max():.2f})")
    if not parts:
        return ""
    return f"Controls, the mean over designs: {', '.join(parts)}; chance is {chance:.3f}."
