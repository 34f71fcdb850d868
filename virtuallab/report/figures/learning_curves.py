"""Whether the subjects learned, and how fast under each rule."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import xarray as xr
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from virtuallab.report.style import INK, PANEL_WIDTH, Look, looks, pretty, theme
from virtuallab.report.words import words
from virtuallab.vocabulary import RULE, SUBJECT, VISIT


def draw(
    accuracy: xr.DataArray, *, rule_looks: Mapping[str, Look] | None = None, title: str = ""
) -> Figure:
    """Draw the median of the subjects of each rule at each visit, with a band over the quartiles.

    Parameters
    ----------
    accuracy : xr.DataArray
        Validation accuracy, dims (subject, visit), with coords ``rule(subject)`` and, where known,
        ``epoch(visit)`` or ``step(visit)``. Missing values are left out.
    rule_looks : mapping from rule to Look, optional
        So that all figures of a report agree; from the rules present if not given.
    title : str
    """
    rules = sorted(map(str, set(words(accuracy[RULE]))))
    rule_looks = rule_looks or looks(rules)
    axis, label = time_axis(accuracy)
    with theme():
        figure = Figure(figsize=(PANEL_WIDTH, 2.75), layout="constrained")
        axes = figure.subplots()
        for rule in rules:
            curves = accuracy.isel({SUBJECT: words(accuracy[RULE]) == rule})
            low, median, high = _quartiles(curves.transpose(SUBJECT, VISIT).to_numpy())
            look = rule_looks[rule]
            axes.fill_between(axis, low, high, color=look.colour, alpha=0.18, linewidth=0)
            axes.plot(axis, median, color=look.colour, linestyle=look.dash, label=pretty(rule))
        axes.set(xlabel=label, ylabel="validation accuracy", ylim=(0, 1.02))
        axes.set_xlim(float(axis[0]), float(axis[-1]))
        axes.yaxis.set_major_formatter(PercentFormatter(1.0))
        axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
        axes.grid(axis="y", alpha=0.13, color=INK, linewidth=0.7)
        axes.set_title(title, loc="left")
        figure.legend(loc="outside lower center", ncols=2, handlelength=2.6)
    return figure


def time_axis(values: xr.DataArray) -> tuple[np.ndarray, str]:
    """Return where each visit lies on the axis of training, and what that axis is called."""
    for name, label in (("epoch", "epoch of training"), ("step", "training step")):
        if name in values.coords:
            return values[name].to_numpy().astype(float), label
    return np.arange(values.sizes[VISIT], dtype=float), "visit"


def _quartiles(curves: np.ndarray) -> np.ndarray:
    """Quartiles over subjects, (3, visit); NaN at visits that nobody reached."""
    found = np.full((3, curves.shape[1]), np.nan)
    reached = np.isfinite(curves).any(axis=0)
    if reached.any():
        found[:, reached] = np.nanpercentile(curves[:, reached], (25, 50, 75), axis=0)
    return found
