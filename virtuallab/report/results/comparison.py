"""What a comparison of recording designs found: a ranking, and a page."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr

from virtuallab.console import Framed, framed
from virtuallab.report.figures.designs.best_designs import (
    best_plate,
    corrected_interval,
    curve_plates,
    heat_plates,
)
from virtuallab.report.page.experiment import environment
from virtuallab.report.style import pretty
from virtuallab.vocabulary import CLASSIFIER, CONTROL, DESIGN, OBSERVABLE

_LISTED = 20  # designs in the terminal


@dataclass(frozen=True)
class Ranked:
    """One design, read by one classifier from one observable."""

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


def ranking(found: xr.Dataset) -> list[Ranked]:
    """Every design by its accuracy, the best first."""
    rows = []
    for design in map(str, found[DESIGN].values):
        for observable in map(str, found[OBSERVABLE].values):
            for classifier in map(str, found[CLASSIFIER].values):
                one = found.sel({DESIGN: design, OBSERVABLE: observable, CLASSIFIER: classifier})
                value = float(one["balanced_accuracy"])
                if np.isnan(value):
                    continue
                low, high = map(float, one["interval"].values)
                behind, least = float(one["shortfall"]), float(one["shortfall_interval"][0])
                rows.append((design, observable, classifier, value, low, high, behind, least))
    rows.sort(key=lambda row: -row[3])
    return [Ranked(place, *row) for place, row in enumerate(rows, start=1)]


def best_sentence(found: xr.Dataset) -> str:
    """Say how far the best can be trusted, which was chosen among many; empty if there is one."""
    first, *rest = ranking(found)
    if not rest:
        return ""
    count, confidence = len(rest) + 1, float(found.attrs["confidence"])
    at = {DESIGN: first.design, OBSERVABLE: first.observable, CLASSIFIER: first.classifier}
    low, high = corrected_interval(found.sel(at), count, confidence)
    return (
        f"The best of {count} had luck on its side: with an interval corrected for {count} "
        f"comparisons, {first.design} reaches {first.value:.2f} ({100 * confidence:g} % interval "
        f"{low:.2f} to {high:.2f})."
    )


def controls_sentence(found: xr.Dataset) -> str:
    """Return the mean accuracy of each control over designs; empty if no control was decoded."""
    if "control_accuracy" not in found:
        return ""
    chance = float(found.attrs["chance"])
    told = []
    for control in map(str, found[CONTROL].values):
        values = found["control_accuracy"].sel({CONTROL: control}).values
        values = values[np.isfinite(values)]
        if not values.size:  # of one visit there is no visit 0 apart from the others
            continue
        told.append(f"{pretty(control)} {values.mean():.3f} (highest {values.max():.2f})")
    if not told:
        return ""
    return f"Controls, the mean over designs: {', '.join(told)}; chance is {chance:.3f}."


def ranking_table(found: xr.Dataset) -> Framed:
    """Lay out the ranking for the terminal."""
    rows = ranking(found)
    confidence = f"{100 * float(found.attrs['confidence']):g} %"
    caption = (
        f"=: taken alone, cannot be told from the best by these subjects. {best_sentence(found)}"
    )
    if len(rows) > _LISTED:
        caption = f"{len(rows) - _LISTED} more are in the files. {caption}"
    table = framed(
        title=f"{found.attrs['title']}: balanced accuracy, chance {found.attrs['chance']:.2f}",
        caption=f"{caption} {controls_sentence(found)}",
    )
    for column in ("", "design", "from", "by", "accuracy", confidence, "behind"):
        table.add_column(column, overflow="fold", no_wrap=column in ("accuracy", confidence))
    for row in rows[:_LISTED]:
        table.add_row(
            str(row.place),
            row.design,
            pretty(row.observable),
            pretty(row.classifier),
            f"{row.value:.2f}",
            f"{row.low:.2f}-{row.high:.2f}",
            "=" if row.is_tied else f"{row.behind:.2f}",
        )
    return table


def comparison_page(found: xr.Dataset) -> str:
    """Write a comparison as a self-contained HTML page.

    Parameters
    ----------
    found : xr.Dataset
        As :func:`virtuallab.lab.compare.compare` returns it.
    """
    return (
        environment()
        .get_template("comparison.html.jinja")
        .render(
            title=str(found.attrs["title"]),
            question=str(found.attrs["question"]),
            rows=ranking(found),
            confidence=f"{100 * float(found.attrs['confidence']):g} %",
            controls=controls_sentence(found),
            luck=best_sentence(found),
            chance=float(found.attrs["chance"]),
            best=best_plate(found),
            curves=curve_plates(found),
            heat_maps=heat_plates(found),
        )
    )
