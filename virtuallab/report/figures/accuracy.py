"""How well each probe identifies the rule, and from which observable."""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from virtuallab.report.style import CONTROL_GREY, INK, PANEL_WIDTH, observable_look, pretty, theme
from virtuallab.vocabulary import OBSERVABLE, PROBE

_ROW = 0.17  # inches between two observables of a probe


def draw(
    accuracy: xr.DataArray,
    interval: xr.DataArray,
    *,
    chance: float,
    width: float = PANEL_WIDTH,
    title: str = "",
) -> Figure:
    """Draw a point with its interval for each probe and observable, and chance as a dashed line.

    Parameters
    ----------
    accuracy : xr.DataArray
        Balanced accuracy, dims (probe, observable); NaN where a probe has no such observable.
    interval : xr.DataArray
        Its bounds, dims (probe, observable, bound) with bound ``low`` and ``high``.
    chance : float
    width : float
        Of the figure, in inches.
    title : str
    """
    probes = [str(probe) for probe in accuracy[PROBE].to_numpy()]
    observables = [str(name) for name in accuracy[OBSERVABLE].to_numpy()]
    step = 1.0 / (len(observables) + 1.2)
    with theme():
        height = 1.25 + _ROW * (len(observables) + 1.2) * len(probes)
        figure = Figure(figsize=(width, height), layout="constrained")
        axes = figure.subplots()
        for place, observable in enumerate(observables):
            look = observable_look(observable)
            offset = (place - (len(observables) - 1) / 2) * step
            rows = np.arange(len(probes)) + offset
            points(
                axes,
                accuracy.sel({OBSERVABLE: observable}),
                interval.sel({OBSERVABLE: observable}),
                rows,
                colour=look.colour,
                marker=look.marker,
                label=pretty(observable),
            )
        axes.set_yticks(range(len(probes)), probes)
        finish(axes, len(probes), chance)
        axes.set_title(title, loc="left", pad=14 if title else None)
        columns = len(observables) if width > PANEL_WIDTH else min(len(observables), 2)
        figure.legend(loc="outside lower center", ncols=columns, handletextpad=0.3)
    return figure


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
    """Draw values and their intervals on the rows given; what is missing is left out."""
    centre = values.to_numpy().astype(float)
    low = interval.sel(bound="low").to_numpy().astype(float)
    high = interval.sel(bound="high").to_numpy().astype(float)
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


def finish(axes: Axes, rows: int, chance: float) -> None:
    """Give a plot of accuracies its axis, its grid and the line of chance."""
    axes.axvline(chance, color=CONTROL_GREY, linestyle=(0, (4, 2)), linewidth=1.2, zorder=0)
    axes.annotate(
        f"chance {chance:.2f}",
        (chance, 1),
        xycoords=("data", "axes fraction"),
        xytext=(3, 2),
        textcoords="offset points",
        fontsize=7.5,
        color=CONTROL_GREY,
    )
    axes.set(xlim=(0, 1), ylim=(rows - 0.5, -0.5), xlabel="balanced accuracy")
    axes.grid(axis="x", alpha=0.13, color=INK, linewidth=0.7)
    axes.set_axisbelow(True)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    for edge in np.arange(1, rows) - 0.5:
        axes.axhline(edge, color=INK, alpha=0.13, linewidth=0.7)
