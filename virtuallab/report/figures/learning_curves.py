"""Whether the subjects learned, and how fast under each rule."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from virtuallab.labels import words
from virtuallab.report.figures.common.logarithmic import make_logarithmic
from virtuallab.report.style import INK, PANEL_WIDTH, Look, looks, pretty, theme
from virtuallab.vocabulary import RULE, SUBJECT, VISIT

_WIDE_RANGE = 20.0  # from the smallest median to the largest, above which losses are logarithmic


def draw(
    values: xr.DataArray,
    *,
    rule_looks: Mapping[str, Look] | None = None,
    title: str = "",
    loss: bool = False,
    unit: str = "nat",
) -> Figure:
    """Draw the median of the subjects of each rule at each visit, with a band over the quartiles.

    Parameters
    ----------
    values : xr.DataArray
        Validation accuracy or loss, dims (subject, visit), with coords ``rule(subject)`` and, where
        known, ``epoch(visit)`` or ``step(visit)``. Missing values are left out.
    rule_looks : mapping from rule to Look, optional
        So that all figures of a report agree; from the rules present if not given.
    title : str
    loss : bool
        Whether the values are losses; they are shares otherwise.
    unit : str
        Unit of the losses; empty where they have none.
    """
    rules = sorted(map(str, set(words(values[RULE]))))
    rule_looks = rule_looks or looks(rules)
    axis, label = time_axis(values)
    with theme():
        height = 2.41 + 0.17 * -(-len(rules) // 2)  # what the legend needs is added
        figure = Figure(figsize=(PANEL_WIDTH, height), layout="constrained")
        axes = figure.subplots()
        for rule in rules:
            curves = values.isel({SUBJECT: words(values[RULE]) == rule})
            low, median, high = _quartiles(curves.transpose(SUBJECT, VISIT).to_numpy())
            look = rule_looks[rule]
            axes.fill_between(axis, low, high, color=look.colour, alpha=0.18, linewidth=0)
            axes.plot(
                axis,
                median,
                color=look.colour,
                linestyle=look.dash,
                marker=look.marker if len(axis) == 1 else None,
                label=pretty(rule),
            )
        measured = f"validation loss ({unit})".removesuffix(" ()")
        axes.set(xlabel=label, ylabel=measured if loss else "validation accuracy")
        if len(axis) > 1:
            axes.set_xlim(float(axis[0]), float(axis[-1]))
            axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
        else:
            axes.set_xticks(axis, [f"{axis[0]:.3g}"])
        if loss:
            _scale_losses(axes)
        else:
            axes.set_ylim(0, 1.02)
            axes.yaxis.set_major_formatter(PercentFormatter(1.0))
        axes.grid(axis="y", alpha=0.13, color=INK, linewidth=0.7)
        axes.set_title(title, loc="left")
        figure.legend(loc="outside lower center", ncols=2, handlelength=2.6)
    return figure


def _scale_losses(axes: Axes) -> None:
    """From zero; by powers of ten where rules lie far apart."""
    medians = np.concatenate([np.asarray(line.get_ydata(), dtype=float) for line in axes.lines])
    found = medians[np.isfinite(medians) & (medians > 0)]
    if found.size and found.max() > _WIDE_RANGE * found.min():
        make_logarithmic(axes, "y", found.min() / 1.4, found.max() * 1.4)
    else:
        axes.set_ylim(bottom=0)


_TIMES = {"epoch": "epoch of training", "step": "training step"}


def time_axis(
    values: xr.DataArray, preferred: Sequence[str] = tuple(_TIMES)
) -> tuple[np.ndarray, str]:
    """Return where each visit lies on the axis of training, and what that axis is called.

    Parameters
    ----------
    values : xr.DataArray
        With a dim of visits.
    preferred : sequence of str
        Coordinates to take, the first that is there.
    """
    for name in preferred:
        if name in values.coords:
            return values[name].to_numpy().astype(float), _TIMES[name]
    return np.arange(values.sizes[VISIT], dtype=float), "visit"


def _quartiles(curves: np.ndarray) -> np.ndarray:
    """Quartiles over subjects, (3, visit); NaN at visits that nobody reached."""
    found = np.full((3, curves.shape[1]), np.nan)
    reached = np.isfinite(curves).any(axis=0)
    if reached.any():
        found[:, reached] = np.nanpercentile(curves[:, reached], (25, 50, 75), axis=0)
    return found
