"""What of a recording carries the rule: what is lost without it, and where a forest looks."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import seaborn as sns
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from virtuallab.report.figures.accuracy import points
from virtuallab.report.style import (
    CONTROL_GREY,
    INK,
    OBSERVABLE_LOOKS,
    PANEL_WIDTH,
    observable_look,
    pretty,
    theme,
)

_ROW = 0.17  # inches
_MAP = "crest"


def lost(
    sections: Mapping[str, xr.Dataset], *, title: str = "", width: float = PANEL_WIDTH
) -> Figure:
    """Draw the accuracy lost without each group of columns, from the top down as given.

    Parameters
    ----------
    sections : mapping from heading to xr.Dataset
        ``relevance`` (group) and ``relevance_interval`` (group, bound), with the coordinate
        ``group_observable``.
    title : str
    width : float
        In inches.
    """
    sizes = [max(of.sizes["group"], 1) for of in sections.values()]
    with theme():
        height = 0.75 + sum(_ROW * size + 0.3 for size in sizes)
        figure = Figure(figsize=(width, height), layout="constrained")
        every = figure.subplots(
            len(sizes), 1, sharex=True, squeeze=False, gridspec_kw={"height_ratios": sizes}
        )[:, 0]
        for axes, (heading, of) in zip(every, sections.items(), strict=True):
            _section(axes, of)
            axes.set_title(heading, loc="left", fontsize=8.5, color=CONTROL_GREY, pad=3)
        every[-1].set_xlabel("balanced accuracy lost")
        figure.suptitle(title, x=0.01, ha="left", fontsize=9)
        handles = {
            label: handle
            for axes in every
            for handle, label in zip(*axes.get_legend_handles_labels(), strict=True)
        }
        if len(handles) > 1:
            shown = [pretty(name) for name in OBSERVABLE_LOOKS if pretty(name) in handles]
            figure.legend(
                [handles[label] for label in shown],
                shown,
                loc="outside lower center",
                ncols=2,
                handletextpad=0.3,
            )
    return figure


def _section(axes: Axes, of: xr.Dataset) -> None:
    observables = np.array([str(name) for name in of["group_observable"].values])
    for observable in dict.fromkeys(observables.tolist()):
        mine, look = np.flatnonzero(observables == observable), observable_look(observable)
        points(
            axes,
            of["relevance"].isel(group=mine),
            of["relevance_interval"].isel(group=mine),
            mine,
            colour=look.colour,
            marker=look.marker,
            label=pretty(observable),
        )
    count = len(observables)
    axes.set_yticks(range(count), [pretty(str(name)) for name in of["group"].values])
    axes.set_ylim(count - 0.5, -0.5)
    axes.axvline(0, color=CONTROL_GREY, linestyle=(0, (4, 2)), linewidth=1.2, zorder=0)
    axes.grid(axis="x", alpha=0.13, color=INK, linewidth=0.7)
    axes.set_axisbelow(True)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)


def maps(share: xr.DataArray, *, title: str = "", width: float = PANEL_WIDTH) -> Figure:
    """Draw importance in colour, a map for each depth, statistic by stage.

    Parameters
    ----------
    share : xr.DataArray
        Importance in equal shares, dims (depth, change_name, stage), with the coordinates
        ``first_visit`` and ``last_visit`` of a stage.
    title : str
    width : float
        In inches.
    """
    # Cells are narrow: the ends of the axis have to do.
    ends = [0.5, share.sizes["stage"] - 0.5]
    visits = [f"{int(share['first_visit'][0])}", f"{int(share['last_visit'][-1])}"]
    depths = [str(depth) for depth in share["depth"].values]
    with theme():
        height = 1.3 + _ROW * share.sizes["change_name"]
        figure = Figure(figsize=(width, height), layout="constrained")
        every = figure.subplots(1, len(depths), sharey=True, squeeze=False)[0]
        top = float(share.max())
        for axes, depth in zip(every, depths, strict=True):
            sns.heatmap(
                share.sel(depth=depth).transpose("change_name", "stage").to_numpy(),
                ax=axes,
                vmin=0,
                vmax=top,
                cmap=_MAP,
                cbar=False,
                linewidths=0.4,
                xticklabels=False,
                yticklabels=[pretty(str(name)) for name in share["change_name"].values],
            )
            axes.set_title(depth.replace(" - ", " −\n"), loc="center", fontsize=6.5)  # noqa: RUF001
            axes.set_xticks(ends[: share.sizes["stage"]], visits[: share.sizes["stage"]])
            axes.tick_params(length=0)
            axes.tick_params(axis="x", rotation=0, labelsize=7)
            axes.tick_params(axis="y", rotation=0, labelsize=7)
        every[len(depths) // 2].set_xlabel("visit", labelpad=2)
        figure.colorbar(
            every[0].collections[0],
            ax=list(every),
            location="bottom",
            label="importance in equal shares",
            aspect=40,
            fraction=0.04,
        )
        figure.suptitle(title, x=0.01, ha="left", fontsize=9)
    return figure
