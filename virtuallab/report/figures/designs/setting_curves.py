"""Accuracy along one setting of a recording design."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from virtuallab.report.figures.common.logarithmic import make_logarithmic
from virtuallab.report.style import CONTROL_GREY, INK, PANEL_WIDTH, Look, theme

_MARKED = 25  # points of a curve, above which it is drawn without markers
_DECADES = 8  # times the lowest value, from which on an axis is logarithmic


@dataclass(frozen=True)
class Curve:
    """One line: values in ascending order of ``x``, with their bounds."""

    label: str
    x: np.ndarray
    value: np.ndarray
    low: np.ndarray
    high: np.ndarray
    look: Look


def draw(
    curves: Sequence[Curve],
    *,
    chance: float,
    axis: str,
    legend: str = "",
    title: str = "",
    target: float | None = None,
    width: float = PANEL_WIDTH,
) -> Figure:
    """Draw balanced accuracy against a setting, with intervals, and chance as a dashed line.

    Parameters
    ----------
    curves : sequence of Curve
    chance : float
    axis : str
        What the setting is.
    legend : str
        What tells the lines apart.
    title : str
    target : float, optional
        Accuracy to be reached, as a further dashed line.
    width : float
        In inches.
    """
    columns = 2 if max(len(curve.label) for curve in curves) < 20 else 1
    rows = -(-len(curves) // columns) if len(curves) > 1 else 0
    with theme():
        figure = Figure(figsize=(width, 2.7 + 0.17 * (rows + bool(legend))), layout="constrained")
        axes = figure.subplots()
        for curve in curves:
            look = curve.look
            axes.fill_between(
                curve.x, curve.low, curve.high, color=look.colour, alpha=0.16, linewidth=0
            )
            axes.plot(
                curve.x,
                curve.value,
                color=look.colour,
                linestyle=look.dash,
                marker=look.marker if len(curve.x) <= _MARKED else None,
                markersize=4.5,
                label=curve.label,
                clip_on=False,
            )
        _finish(axes, np.concatenate([curve.x for curve in curves]), axis, title)
        draw_level(axes, chance, "chance")
        if target is not None:
            draw_level(axes, target, "target")
        if rows:
            figure.legend(loc="outside lower center", ncols=columns, title=legend or None)
    return figure


def draw_level(axes: Axes, level: float, name: str) -> None:
    """Draw an accuracy that others are read against, as a dashed line with its name."""
    axes.axhline(level, color=CONTROL_GREY, linestyle=(0, (4, 2)), linewidth=1.2, zorder=0)
    axes.annotate(
        f"{name} {level:.2f}",
        (1, level),
        xycoords=("axes fraction", "data"),
        xytext=(0, 3),
        textcoords="offset points",
        ha="right",
        fontsize=7.5,
        color=CONTROL_GREY,
        bbox={"facecolor": "white", "alpha": 0.7, "edgecolor": "none", "pad": 0.5},
    )


def _finish(axes: Axes, x: np.ndarray, axis: str, title: str) -> None:
    axes.set(ylim=(0, 1), xlabel=axis, ylabel="balanced accuracy")
    ticks = np.unique(x)
    if ticks[0] > 0 and ticks[-1] / ticks[0] >= _DECADES:
        make_logarithmic(axes, "x", ticks[0] / 1.05, ticks[-1] * 1.05)
    if len(ticks) <= 7:
        axes.set_xticks(ticks, [f"{tick:.4g}" for tick in ticks])
        axes.minorticks_off()
    axes.grid(axis="y", alpha=0.13, color=INK, linewidth=0.7)
    axes.set_axisbelow(True)
    axes.set_title(title, loc="left")
