"""Axes that several figures share: rows of points or bars, reference lines, logarithms."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final, Literal

import numpy as np
import xarray as xr
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from virtuallab.reporting.style import CONTROL_GREY, INK, PANEL_WIDTH
from virtuallab.vocabulary import VISIT

FILL: Final = "#0173b2"  # of bars, dots and cells of no particular rule or observable
DASHED: Final = (0, (4, 2))
QUIET: Final[dict[str, Any]] = {"fontsize": 7.5, "color": CONTROL_GREY}


def single_axes(height: float, width: float = PANEL_WIDTH) -> tuple[Figure, Axes]:
    """Figure of a size in inches, and its only axes."""
    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.subplots()


def faint_grid(axes: Axes, axis: Literal["x", "y", "both"] = "both") -> None:
    """Draw a faint grid behind the data."""
    axes.grid(axis=axis, alpha=0.13, color=INK, linewidth=0.7)
    axes.set_axisbelow(True)


def set_title(axes: Axes, title: str) -> None:
    """Set a title with room below it for the label of a vertical line."""
    axes.set_title(title, loc="left", pad=14 if title else None)


def set_figure_title(figure: Figure, title: str) -> None:
    """Set a title above all axes of a figure, at its left edge."""
    figure.suptitle(title, x=0.01, ha="left", fontsize=9)


def legend_entries(every: Iterable[Axes]) -> dict[str, Artist]:
    """Labels of several axes, each with something that is drawn under it."""
    return {
        label: handle
        for axes in every
        for handle, label in zip(*axes.get_legend_handles_labels(), strict=True)
    }


def legend_columns(labels: Sequence[str], width: float) -> int:
    """Columns of a legend of lines that fit side by side into a width in inches; at least one."""
    widest = 0.62 + 0.066 * max(map(len, labels))
    return max(1, int(width / widest))


def as_rows(axes: Axes, names: Sequence[str]) -> None:
    """Make the vertical axis a list of names, from the top down."""
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.5, -0.5)
    faint_grid(axes, "x")
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)


def accuracy_rows(axes: Axes, names: Sequence[str], chance: float) -> None:
    """Make axes of balanced accuracy with a row for each name, and chance as a dashed line."""
    vertical_line(axes, chance, f"chance {chance:.2f}", zorder=0.0)
    axes.set(xlim=(0, 1), xlabel="balanced accuracy")
    as_rows(axes, names)
    for edge in np.arange(1, len(names)) - 0.5:
        axes.axhline(edge, color=INK, alpha=0.13, linewidth=0.7)


def vertical_line(axes: Axes, value: float, label: str = "", zorder: float = 2.0) -> None:
    """Draw a dashed line at a value of the horizontal axis, its label above the axes."""
    axes.axvline(value, color=CONTROL_GREY, linestyle=DASHED, linewidth=1.2, zorder=zorder)
    if label:
        axes.annotate(
            label,
            (value, 1),
            xycoords=("data", "axes fraction"),
            xytext=(3, 2),
            textcoords="offset points",
            **QUIET,
        )


def accuracy_level(axes: Axes, level: float, name: str) -> None:
    """Draw a dashed horizontal line at an accuracy, with its name and value."""
    axes.axhline(level, color=CONTROL_GREY, linestyle=DASHED, linewidth=1.2, zorder=0)
    axes.annotate(
        f"{name} {level:.2f}",
        (1, level),
        xycoords=("axes fraction", "data"),
        xytext=(0, 3),
        textcoords="offset points",
        ha="right",
        bbox={"facecolor": "white", "alpha": 0.7, "edgecolor": "none", "pad": 0.5},
        **QUIET,
    )


def points(
    axes: Axes,
    values: xr.DataArray,
    interval: xr.DataArray,
    rows: np.ndarray,
    *,
    colour: str,
    marker: str,
    label: str,
    filled: bool = True,
) -> None:
    """Draw values ``(row,)`` at vertical positions ``rows``, with intervals ``(row, bound)``.

    NaN is left out.
    """
    centre = values.to_numpy().astype(float)
    low, high = (interval.sel(bound=b).to_numpy().astype(float) for b in ("low", "high"))
    there = np.isfinite(centre)
    # Unclipped, so that a point on the edge of the axis is whole.
    axes.hlines(rows[there], low[there], high[there], color=colour, linewidth=1.5, clip_on=False)
    axes.plot(
        centre[there],
        rows[there],
        linestyle="none",
        marker=marker,
        markersize=5.0,
        color=colour,
        markerfacecolor=colour if filled else "white",
        label=label,
        clip_on=False,
    )


def bars(axes: Axes, places: np.ndarray, values: Sequence[float]) -> None:
    """Draw horizontal bars from 0 to each value."""
    axes.barh(places, values, height=0.62, color=FILL, alpha=0.55, linewidth=0)


_TIMES: Final = {"epoch": "epoch of training", "step": "training step"}


def training_time(
    values: xr.DataArray, preferred: Sequence[str] = tuple(_TIMES)
) -> tuple[np.ndarray, str]:
    """Time of each visit, and the label of the time axis.

    It is the first of the ``preferred`` coordinates present; without any, the number of the visit.
    """
    for name in preferred:
        if name in values.coords:
            return values[name].to_numpy().astype(float), _TIMES[name]
    return np.arange(values.sizes[VISIT], dtype=float), "visit"


def make_logarithmic(axes: Axes, which: Literal["x", "y"], low: float, high: float) -> None:
    """Make an axis logarithmic between two positive limits, with round numbers at its ticks.

    matplotlib labels such axes by mathematical markup, which the theme disables, since labels may
    contain a dollar sign.
    """
    axes.set(**{f"{which}scale": "log", f"{which}lim": (low, high)})
    axis = axes.xaxis if which == "x" else axes.yaxis
    axis.set_major_locator(FixedLocator(round_numbers(low, high)))
    axis.set_major_formatter(FuncFormatter(lambda number, _: tick_text(number)))
    axis.set_minor_locator(NullLocator())


def round_numbers(low: float, high: float) -> list[float]:
    """Round numbers between two values, two to seven for values a factor of 4 or more apart.

    >>> round_numbers(0.3, 40.0), round_numbers(20.0, 90.0)
    ([0.3, 1.0, 3.0, 10.0, 30.0], [20.0, 50.0])
    """
    first, last = int(np.floor(np.log10(low))), int(np.ceil(np.log10(high)))
    decades = np.log10(high / low)
    if decades > 3.5:
        stride = int(np.ceil(decades / 6))
        powers = range(-stride * (-first // stride), last + 1, stride)
        return [float(f"1e{power}") for power in powers if low <= float(f"1e{power}") <= high]
    steps = (1, 3) if decades > 1.5 else (1, 2, 5)
    between = [float(f"{step}e{power}") for power in range(first, last + 1) for step in steps]
    return [number for number in between if low <= number <= high]


def tick_text(number: float) -> str:
    """Label of a tick.

    >>> tick_text(0.003), tick_text(20000.0), tick_text(1e7)
    ('0.003', '20000', '1e7')
    """
    return f"{number:g}".replace("e+0", "e").replace("e-0", "e-").replace("e+", "e")
