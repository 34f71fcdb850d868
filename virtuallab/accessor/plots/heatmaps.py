"""Heatmaps of responses, tuning and dissimilarities, in the style of the reports."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

import matplotlib.pyplot as plt
import numpy as np
import seaborn as sns
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.collections import QuadMesh
from matplotlib.figure import Figure

from virtuallab.accessor import layer_measures, stimulus_averages
from virtuallab.accessor.plots.single_subject import (
    at_visit,
    check_axes,
    describe_subject,
    describe_visit,
    one_subject,
    visits_of,
)
from virtuallab.accessor.variables import STIMULUS_2, STIMULUS_CLASS, layers, unit_layers
from virtuallab.accessor.zscore import zscore
from virtuallab.errors import UserError
from virtuallab.reporting.figures.common.axes import set_figure_title
from virtuallab.reporting.style import INK, pretty, theme
from virtuallab.vocabulary import ACTIVITY, LAYER, STIMULUS, UNIT, VISIT

PAPER: Final = "white"  # figures of reports are transparent
_MISSING: Final = "#d5d8dc"
_ENDS: Final = 2.5  # standard deviations at the ends of the colour scale
_MANY: Final = 20  # most names along an axis that do not overlap
_FEW: Final = 10  # most names along the axis of a small panel
_LETTER: Final = 0.066  # approximate width of a letter in inches


def activity(
    recording: xr.Dataset, *, subject: str | None, visit: int | None, ax: Axes | None
) -> Axes:
    """Draw z-scored responses; see :meth:`RecordingAccessor.plot_activity`."""
    one = at_visit(one_subject(recording, subject), visit)
    order, labels = _by_class(one)
    units = _by_layer(one)
    scored = zscore(one, ACTIVITY, (STIMULUS,)).transpose(STIMULUS, UNIT).to_numpy()
    with theme():
        ax = _axes(ax, 6.2, 3.4)
        _draw_scores(ax, scored[order][:, units], "response (z-score)")
        _mark_layers(ax, unit_layers(one)[units])
        _mark_classes(ax, labels)
        ax.set_xlabel("unit, by layer")
        ax.set_ylabel("stimulus" if labels is None else "stimulus, by class")
        ax.set_title(_title(one, describe_visit(one)), loc="left")
    return ax


def tuning(
    recording: xr.Dataset, *, subject: str | None, visit: int | None, ax: Axes | None
) -> Axes:
    """Draw cross-validated tuning; see :meth:`RecordingAccessor.plot_tuning`."""
    one = at_visit(one_subject(recording, subject), visit)
    chosen, shown = stimulus_averages.tuning(one, "first"), stimulus_averages.tuning(one, "second")
    if not np.isfinite(shown).any():
        raise UserError(
            "no class has two stimuli: which class a unit prefers is chosen by one half of the "
            "stimuli, and its responses to the other half are drawn. Show more stimuli."
        )
    classes = chosen[STIMULUS_CLASS].to_numpy()
    scored = zscore(shown.to_dataset(), str(shown.name), (STIMULUS_CLASS,))
    scored = scored.reindex({STIMULUS_CLASS: classes})  # NaN for one that has no second stimulus
    values = scored.transpose(STIMULUS_CLASS, UNIT).to_numpy()
    preferred = np.nan_to_num(chosen.transpose(STIMULUS_CLASS, UNIT).to_numpy(), nan=-np.inf)
    units = _by_layer(one, preferred.argmax(0))
    names = [str(each) for each in classes]
    with theme():
        ax = _axes(ax, 6.2, 2.7)
        _draw_scores(ax, values[:, units], "mean response (z-score)")
        _mark_layers(ax, unit_layers(one)[units])
        every = -(-len(names) // _MANY)
        ax.set_yticks(np.arange(0, len(names), every) + 0.5, names[::every], rotation=0)
        ax.set_xlabel("unit, by layer and class preferred in the other half of the stimuli")
        ax.set_ylabel("stimulus class")
        ax.set_title(_title(one, describe_visit(one)), loc="left")
    return ax


def rdm(
    recording: xr.Dataset, *, subject: str | None, visits: int | Sequence[int] | None, metric: str
) -> Figure:
    """Draw dissimilarities; see :meth:`RecordingAccessor.plot_rdm`."""
    layer_measures.check_metric(metric)
    one = visits_of(one_subject(recording, subject), visits)
    check_axes(one, VISIT, STIMULUS, UNIT)
    order, labels = _by_class(one)
    found = layer_measures.rdm(one, metric).transpose(VISIT, LAYER, STIMULUS, STIMULUS_2).to_numpy()
    values, top, label = _scaled(found[..., order, :][..., order], metric)
    names = layers(one)
    with theme():
        size = (1.6 * len(names) + 1.0, 1.6 * len(values) + 0.5)
        figure, grid = plt.subplots(
            *values.shape[:2], figsize=size, squeeze=False, facecolor=PAPER, layout="constrained"
        )
        for place, line in enumerate(grid):
            for axes, matrix in zip(line, values[place], strict=True):
                _draw_matrix(axes, matrix, labels, top)
            line[0].set_ylabel(describe_visit(one.isel({VISIT: place})))
            _name_classes(line[0].yaxis, labels)
        for axes in grid[-1]:
            _name_classes(axes.xaxis, labels)
        for name, axes in zip(names, grid[0], strict=True):
            axes.set_title(name)
        bar = figure.colorbar(grid[0, 0].collections[0], ax=grid, aspect=30, pad=0.02)
        _style_colorbar(bar.ax, label)
        by_what = "stimuli in order of recording" if labels is None else "stimuli by class"
        set_figure_title(figure, _title(one, by_what))
    return figure


def _axes(ax: Axes | None, width: float, height: float) -> Axes:
    if ax is not None:
        return ax
    _, ax = plt.subplots(figsize=(width, height), facecolor=PAPER, layout="constrained")
    return ax


def _title(one: xr.Dataset, *more: str) -> str:
    return ", ".join([*(pretty(each) for each in describe_subject(one)), *filter(None, more)])


def _by_class(one: xr.Dataset) -> tuple[np.ndarray, np.ndarray | None]:
    """Return the order of stimuli by class, and their classes in it; None if not known."""
    if "stimulus_label" not in one or one["stimulus_label"].dims != (STIMULUS,):
        return np.arange(one.sizes[STIMULUS]), None
    labels = one["stimulus_label"].to_numpy()
    order = np.argsort(labels, kind="stable")
    return order, labels[order]


def _by_layer(one: xr.Dataset, preferred: np.ndarray | None = None) -> np.ndarray:
    """Return the order of units by layer, and within each by preference."""
    rank = {name: place for place, name in enumerate(layers(one))}
    place = np.array([rank.get(name, -1) for name in unit_layers(one)])
    order = np.lexsort((np.zeros(len(place)) if preferred is None else preferred, place))
    return order[place[order] >= 0]  # without units of layers that were not selected


def _draw_scores(ax: Axes, values: np.ndarray, label: str) -> None:
    mesh = _draw_table(ax, values, "vlag", -_ENDS, _ENDS)
    bar = ax.figure.colorbar(mesh, ax=ax, pad=0.02, aspect=30, extend="both")
    _style_colorbar(bar.ax, label)


def _draw_table(ax: Axes, values: np.ndarray, colours: str, low: float, high: float) -> QuadMesh:
    """Draw as seaborn's heatmap does, which renders the whole figure for each panel."""
    ax.set_facecolor(_MISSING)
    palette = sns.color_palette(colours, as_cmap=True)
    mesh = ax.pcolormesh(values, cmap=palette, vmin=low, vmax=high, rasterized=True)
    ax.set(xlim=(0, values.shape[1]), ylim=(values.shape[0], 0), xticks=[], yticks=[])
    ax.tick_params(length=0)
    for spine in ax.spines.values():
        spine.set_visible(False)
    return mesh


def _style_colorbar(bar: Axes, label: str) -> None:
    for spine in bar.spines.values():
        spine.set_visible(False)
    bar.tick_params(length=0)
    bar.set_ylabel(label)


def _draw_matrix(axes: Axes, values: np.ndarray, labels: np.ndarray | None, top: float) -> None:
    _draw_table(axes, values, "mako", 0.0, top)
    axes.set_aspect("equal")
    for edge in [] if labels is None else _runs(labels)[0]:
        axes.axhline(edge, color="white", linewidth=0.3, alpha=0.5)
        axes.axvline(edge, color="white", linewidth=0.3, alpha=0.5)


def _scaled(values: np.ndarray, metric: str) -> tuple[np.ndarray, float, str]:
    """Return dissimilarities as drawn, the top of the colour scale, and its label."""
    known = np.where(np.isfinite(values), values, 0.0)
    if metric == "euclidean":
        largest = known.max((0, 2, 3), keepdims=True)
        return values / np.where(largest > 0, largest, 1.0), 1.0, "distance, of its layer's largest"
    return values, max(1.0, float(np.percentile(known, 99))), "1 - correlation"


def _runs(names: np.ndarray) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Return the edges between runs of one name, the middle of each run, and its name."""
    edges = np.flatnonzero(names[1:] != names[:-1]) + 1
    bounds = np.concatenate([[0], edges, [len(names)]])
    return edges, (bounds[1:] + bounds[:-1]) / 2, [str(names[start]) for start in bounds[:-1]]


def _mark_layers(ax: Axes, of_unit: np.ndarray) -> None:
    edges, middles, names = _runs(of_unit)
    width = ax.bbox.width / ax.figure.dpi / len(of_unit)  # inches of a unit
    needed = [_LETTER * (len(one) + len(next_one) + 1) / 2 for one, next_one in pairwise(names)]
    crowded = (np.diff(middles) * width < needed).any()
    ax.set_xticks(middles, names, rotation=90 if crowded else 0)
    for edge in edges:
        ax.axvline(edge, color=INK, linewidth=0.8)


def _name_classes(axis: Axis, labels: np.ndarray | None) -> None:
    """Write the classes along the side of a small panel."""
    if labels is None:
        return
    _, middles, names = _runs(labels)
    if len(names) <= _FEW:
        axis.set_ticks(middles, labels=names, rotation=0, fontsize=6.5)
        axis.set_tick_params(length=0, pad=1)


def _mark_classes(ax: Axes, labels: np.ndarray | None) -> None:
    if labels is None:
        return
    edges, middles, names = _runs(labels)
    for edge in edges:
        ax.axhline(edge, color=INK, linewidth=0.3, alpha=0.5)
    if len(names) <= _MANY:
        ax.set_yticks(middles, names, rotation=0)
