"""Curves of representational drift in each layer."""

from __future__ import annotations

from typing import Final

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator
from scipy import stats

from virtuallab.accessor import layer_measures
from virtuallab.accessor.plots.heatmaps import PAPER
from virtuallab.accessor.plots.single_subject import check_axes, describe_visit
from virtuallab.accessor.selection import select
from virtuallab.accessor.variables import VISIT_2, layers, strings
from virtuallab.errors import UserError
from virtuallab.reporting.figures.common.axes import legend_columns, set_figure_title
from virtuallab.reporting.style import CONTROL_GREY, INK, Look, looks, pretty, theme
from virtuallab.vocabulary import LAYER, RULE, STIMULUS, SUBJECT, UNIT, VISIT

CONFIDENCE: Final = 0.95
_ACROSS: Final = 4  # panels in a row
_TIMES: Final = {"epoch": "epochs of training", "step": "training steps", VISIT: "visit"}
_NO_RULE: Final = "subjects"  # instead of a rule, if none is known


def draw(recording: xr.Dataset, *, reference: int | None, metric: str) -> Figure:
    """Draw drift curves by rule; see :meth:`RecordingAccessor.plot_drift`."""
    table, time, title = _similarity_table(recording, reference, metric)
    names, rules = layers(recording), sorted(set(table[RULE]))
    look = looks(rules)
    down = -(-len(names) // _ACROSS)
    across = -(-len(names) // down)
    with theme():
        figure, grid = plt.subplots(
            down,
            across,
            figsize=(max(1.8 * across + 0.6, 4.2), 1.8 * down + 0.8),
            squeeze=False,
            sharex=True,
            sharey=True,
            facecolor=PAPER,
            layout="constrained",
        )
        for place, axes in enumerate(grid.flat):
            if place >= len(names):
                axes.set_visible(False)
                continue
            of_layer = table[table[LAYER] == names[place]]
            if of_layer.empty:
                axes.annotate(
                    "none", (0.5, 0.5), xycoords="axes fraction", ha="center", color=CONTROL_GREY
                )
            else:
                _curves(axes, of_layer, look)
            axes.set_title(names[place])
            if place + across >= len(names):
                axes.tick_params(labelbottom=True)
                axes.set_xlabel(time, visible=True)  # seaborn hides it above another panel
            if not place % across:
                axes.set_ylabel("correlation of RDMs")
        set_figure_title(figure, title)
        if rules != [_NO_RULE]:
            _legend(figure, look)
    return figure


def _similarity_table(
    recording: xr.Dataset, reference: int | None, metric: str
) -> tuple[pd.DataFrame, str, str]:
    """Return a row for each subject, layer and visit, the label of time, and the title."""
    similarity = layer_measures.rdm_similarity(recording, metric)
    count = similarity.sizes[VISIT]
    if count < 2:
        raise UserError("drift is between visits, and this recording has only one.")
    lead = [dim for dim in (SUBJECT,) if dim in similarity.dims]
    check_axes(recording, *lead, VISIT, STIMULUS, UNIT)
    if VISIT not in recording.coords:
        recording = recording.assign_coords({VISIT: np.arange(count)})
    at = 0 if reference is None else _visit_index(recording, reference)
    values = similarity.isel({VISIT_2: at}).transpose(*lead, LAYER, VISIT).to_numpy()
    values = values.reshape(-1, *values.shape[-2:])
    rules = strings(recording[RULE]) if RULE in recording.coords else np.array([_NO_RULE])
    names = np.array(layers(recording), dtype=object)
    name = next(n for n in _TIMES if n in recording.coords and recording[n].dims == (VISIT,))
    columns = {
        RULE: rules[:, None, None],
        LAYER: names[:, None],
        "time": recording[name].to_numpy(),
        "similarity": values,
    }
    spread = {key: np.broadcast_to(each, values.shape).ravel() for key, each in columns.items()}
    table = pd.DataFrame(spread).dropna()
    if table.empty:
        raise UserError(
            "no layer has two visits whose dissimilarities can be compared: at least three stimuli "
            "with different responses are needed."
        )
    then = describe_visit(recording.isel({VISIT: at}))
    shown = int(np.isfinite(values).any((1, 2)).sum())
    many = f"; {shown} subjects" if shown > 1 else ""
    return table, _TIMES[name], f"RDMs compared with those {then}{many}"


def _visit_index(recording: xr.Dataset, visit: int) -> int:
    visits = recording[[]].assign_coords({VISIT: recording[VISIT]})
    chosen = select(visits, visit=visit)
    return int(np.flatnonzero(np.isin(visits[VISIT], chosen[VISIT]))[0])


def _curves(axes: Axes, table: pd.DataFrame, look: dict[str, Look]) -> None:
    rules = list(look)
    sns.lineplot(
        table,
        x="time",
        y="similarity",
        hue=RULE,
        style=RULE,
        hue_order=rules,
        style_order=rules,
        palette={rule: look[rule].colour for rule in rules},
        dashes={rule: _dashes(look[rule]) for rule in rules},
        errorbar=_interval,
        err_kws={"alpha": 0.15, "linewidth": 0},
        linewidth=1.5,
        legend=False,
        ax=axes,
    )
    axes.axhline(0, color=CONTROL_GREY, linestyle=(0, (4, 2)), linewidth=1.0, zorder=0)
    axes.set(xlabel="", ylabel="")
    axes.grid(axis="y", alpha=0.13, color=INK, linewidth=0.7)
    axes.xaxis.set_major_locator(MaxNLocator(3, integer=True))


def _interval(values: pd.Series) -> tuple[float, float]:
    """Return the 95 % interval of the mean by Student's t; without width for one value."""
    mean = float(values.mean())
    if len(values) < 2:
        return mean, mean
    half = float(stats.sem(values) * stats.t.ppf((1 + CONFIDENCE) / 2, len(values) - 1))
    return mean - half, mean + half


def _dashes(look: Look) -> str | tuple[int, ...]:
    """Return dashes as seaborn takes them: empty for a solid line."""
    return "" if isinstance(look.dash, str) else look.dash[1]


def _legend(figure: Figure, look: dict[str, Look]) -> None:
    lines = [Line2D([], [], color=each.colour, linewidth=1.5) for each in look.values()]
    for line, each in zip(lines, look.values(), strict=True):
        line.set_linestyle(each.dash)  # type: ignore[arg-type]
    names = [pretty(rule) for rule in look]
    across = legend_columns(names, figure.get_figwidth())
    figure.legend(lines, names, loc="outside lower center", ncols=across, handlelength=2.8)
