"""A grid of curves over training: a row for each measure, a column for each layer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, MaxNLocator
from scipy import stats

from virtuallab.labels import label_text
from virtuallab.reporting.figures.common.axes import (
    DASHED,
    QUIET,
    faint_grid,
    legend_columns,
    legend_entries,
    make_logarithmic,
    set_figure_title,
    training_time,
)
from virtuallab.reporting.style import CONTROL_GREY, Look, pretty, theme
from virtuallab.vocabulary import RULE, SUBJECT, VISIT

CONFIDENCE: Final = 0.95
_WIDEST: Final = 11.4  # inches: the width of the page
_MANY: Final = 8  # rules, above which bands are paler


@dataclass(frozen=True)
class MeasureScale:
    """Axis of a measure.

    Parameters
    ----------
    mark : float
        Value drawn as a dashed line.
    meaning : str
        Label of the dashed line.
    tops : tuple of float
        Upper limits to choose from: the first that no mean exceeds. The lower limit is 0.
    step : float
        Between two ticks.
    logarithmic : bool
        Whether means and intervals are those of the logarithm.
    """

    mark: float
    meaning: str
    tops: tuple[float, ...] = ()
    step: float = 1.0
    logarithmic: bool = False


ANGLE: Final = MeasureScale(90.0, "chance", tops=(100.0, 135.0, 180.0), step=45.0)
SHARE: Final = MeasureScale(0.5, "chance", tops=(1.0,), step=0.5)
RATIO: Final = MeasureScale(1.0, "equal", logarithmic=True)


@dataclass(frozen=True)
class MeasureRow:
    """One measure in several layers.

    Parameters
    ----------
    label : str
        Label of the axis, with the unit.
    scale : MeasureScale
    columns : mapping from column to xr.DataArray, (subject, visit)
        With ``rule(subject)``; NaN for missing values.
    """

    label: str
    scale: MeasureScale
    columns: Mapping[str, xr.DataArray]

    @property
    def rules(self) -> tuple[str, ...]:
        """Rules with the measure in at least one subject and layer."""
        found = {
            str(rule)
            for values in self.columns.values()
            for rule in label_text(values[RULE])[np.isfinite(_curves(values)).any(1)]
        }
        return tuple(sorted(found))


def draw(
    rows: Sequence[MeasureRow],
    *,
    rule_looks: Mapping[str, Look],
    row_height: float = 1.45,
    title: str = "",
) -> Figure:
    """Draw the mean over the subjects of each rule, with a band over its 95 % interval.

    Rules without any measure are not in the legend. A single visit is drawn as points.
    """
    columns = list(dict.fromkeys(name for row in rows for name in row.columns))
    rules = sorted({rule for row in rows for rule in row.rules})
    names = [pretty(rule) for rule in rules]
    width = min(_WIDEST, 0.95 + 1.95 * max(len(columns), 2))
    across = legend_columns(names, width)
    lines = -(-len(rules) // across)
    height = 0.75 + row_height * len(rows) + 0.17 * lines + (0.2 if title else 0.0)
    with theme():
        figure = Figure(figsize=(width, height), layout="constrained")
        grid = figure.subplots(len(rows), len(columns), squeeze=False, sharex=True, sharey="row")
        for row, line in zip(rows, grid, strict=True):
            for name, axes in zip(columns, line, strict=True):
                _cell(axes, row, row.columns.get(name), rules, rule_looks)
            _finish(list(line), row)
        for name, axes in zip(columns, grid[0], strict=True):
            axes.set_title(name, fontsize=8.5)
        for column in grid.T:
            bottom = _lowest(list(column))
            bottom.tick_params(labelbottom=True)
            bottom.set_xlabel(_time(rows))
        if title:
            set_figure_title(figure, title)
        drawn = legend_entries(grid.flat)
        figure.legend(
            [drawn[name] for name in names],
            names,
            loc="outside lower center",
            ncols=min(across, len(names)),
            handlelength=2.8,
        )
    return figure


def mean_interval(curves: np.ndarray) -> np.ndarray:
    """Low, mean and high over subjects, (3, visit), by Student's t with 95 % confidence.

    NaN in ``curves``, (subject, visit), is left out. One value has an interval without width.

    >>> mean_interval(np.array([[1.0], [2.0], [3.0]])).round(2).ravel()
    array([-0.48,  2.  ,  4.48])
    """
    there = np.isfinite(curves)
    count = there.sum(0)
    safe = np.maximum(count, 1)
    mean = np.where(there, curves, 0).sum(0) / safe
    square = np.where(there, (curves - mean) ** 2, 0).sum(0)
    error = np.sqrt(square / np.maximum(count - 1, 1) / safe)
    half = error * stats.t.ppf((1 + CONFIDENCE) / 2, np.maximum(count - 1, 1))
    found = np.stack([mean - half, mean, mean + half])
    return np.asarray(np.where(count > 0, found, np.nan))


def summary(values: xr.DataArray, rule: str, scale: MeasureScale) -> np.ndarray:
    """Low, mean and high of one rule at each visit, (3, visit); the geometric mean for ratios."""
    members = values.isel({SUBJECT: label_text(values[RULE]) == rule})
    curves = _curves(members)
    if not scale.logarithmic:
        return mean_interval(curves)
    positive = np.where(curves > 0, curves, np.nan)
    return np.asarray(np.exp(mean_interval(np.log(positive))))


def _curves(values: xr.DataArray) -> np.ndarray:
    """Values as ``(subject, visit)``."""
    return np.asarray(values.transpose(SUBJECT, VISIT).to_numpy(), dtype=float)


def _cell(
    axes: Axes,
    row: MeasureRow,
    values: xr.DataArray | None,
    rules: Sequence[str],
    rule_looks: Mapping[str, Look],
) -> None:
    """Draw one measure of one layer, or the word "none"."""
    if values is None or not np.isfinite(values).any():
        axes.xaxis.set_visible(False)
        axes.spines["bottom"].set_visible(False)
        middle = (0.5, 0.5)
        axes.annotate("none", middle, xycoords="axes fraction", ha="center", **QUIET)
        return
    at, _ = training_time(values, ("step", "epoch"))
    for place, rule in enumerate(rules):
        low, mean, high = summary(values, rule, row.scale)
        look = rule_looks[rule]
        if not np.isfinite(mean).any():
            continue
        if len(at) == 1:
            axes.vlines(place, low, high, color=look.colour, linewidth=1.5)
            axes.plot(
                place, mean, look.marker, color=look.colour, markersize=4.5, label=pretty(rule)
            )
            continue
        alpha = 0.16 if len(rules) <= _MANY else 0.08
        axes.fill_between(at, low, high, color=look.colour, alpha=alpha, linewidth=0)
        axes.plot(
            at,
            mean,
            color=look.colour,
            linestyle=look.dash,
            linewidth=1.5,
            marker=look.marker,
            # One marker a line, at another visit for each rule, so that they do not overlap.
            markevery=[place % len(at)],
            markersize=3.8,
            label=pretty(rule),
        )
    if len(at) == 1:
        axes.set_xlim(-0.7, len(rules) - 0.3)
        axes.set_xticks([])
    else:
        axes.set_xlim(float(at[0]), float(at[-1]))
        axes.xaxis.set_major_locator(MaxNLocator(3, integer=True))


def _finish(line: Sequence[Axes], row: MeasureRow) -> None:
    """Set the axis, grid and dashed line of a row."""
    scale = row.scale
    shown = [axes for axes in line if axes.lines]
    for axes in shown:
        axes.axhline(scale.mark, color=CONTROL_GREY, linestyle=DASHED, linewidth=1.1, zorder=0)
        faint_grid(axes, "y")
    first = line[0]
    first.set_ylabel(row.label)
    shown[0].annotate(
        scale.meaning,
        (1, scale.mark),
        xycoords=("axes fraction", "data"),
        xytext=(-2, 2),
        textcoords="offset points",
        ha="right",
        **QUIET,
    )
    highest = max(float(np.nanmax(d.get_ydata())) for axes in shown for d in axes.lines)
    lowest = min(float(np.nanmin(d.get_ydata())) for axes in shown for d in axes.lines)
    if scale.logarithmic:
        make_logarithmic(first, "y", min(0.3, lowest / 1.4), max(3.0, highest * 1.4))
    else:
        top = next((top for top in scale.tops if highest <= top), scale.tops[-1])
        first.set_ylim(-0.02 * top, 1.02 * top)
        first.yaxis.set_major_locator(FixedLocator(list(np.arange(0, top + 1e-9, scale.step))))


def _time(rows: Sequence[MeasureRow]) -> str:
    at, label = training_time(next(iter(rows[0].columns.values())), ("step", "epoch"))
    return label if len(at) > 1 else f"{label} {at[0]:g}"


def _lowest(column: Sequence[Axes]) -> Axes:
    """Lowest axes of a column with lines."""
    return next((axes for axes in reversed(column) if axes.lines), column[-1])
