"""Figure "Which statistics carry the rule": accuracy lost without each, and Gini importance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import seaborn as sns
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from virtuallab.reporting.figures.common.axes import (
    as_rows,
    legend_entries,
    points,
    set_figure_title,
    vertical_line,
)
from virtuallab.reporting.figures.common.captioned import CaptionedFigure, Panel
from virtuallab.reporting.results.decoding import AnalysisResult
from virtuallab.reporting.style import (
    CONTROL_GREY,
    OBSERVABLE_LOOKS,
    PANEL_WIDTH,
    observable_look,
    pretty,
    theme,
)
from virtuallab.text import percent
from virtuallab.vocabulary import CHANGE_NAME

_MOST: Final = 15  # rows of a list
_NAMED: Final = 3  # in a text alternative
_ROW: Final = 0.17  # inches
_MAP: Final = "crest"


def importance_of_shown(analysis: AnalysisResult) -> CaptionedFigure | None:
    """Importance of statistics for the primary or best result; None if not measured."""
    shown, verdict = analysis.shown, analysis.dataset
    if shown is None or "relevance" not in verdict:
        return None
    one = verdict.sel(shown.cell)
    found = one.isel(group=np.isfinite(one["relevance"].values))
    found = found.assign_attrs(confidence=analysis.confidence, chance=analysis.chance)
    return importance_figure(found, title=shown.title)


def importance_figure(found: xr.Dataset, *, title: str) -> CaptionedFigure:
    """Importance of families of statistics, statistics, stages of learning and depths.

    ``found`` has ``relevance`` (accuracy lost, with its interval) and ``gini`` of one result; NaN
    is left out.
    """
    families, statistics, stages, depths, observables = (
        _of_kind(found, kind) for kind in ("family", "statistic", "stage", "depth", "observable")
    )
    what = {"whole families": _ranked(families), "one statistic alone": _ranked(statistics)}
    where = {"by stage of learning": stages, "by depth": depths}
    if observables.sizes["group"]:
        where["by observable"] = observables
    share = _largest(found["gini"].dropna("stage", how="all"))
    panels = [
        Panel(
            draw_lost(what, title=title),
            f"Balanced accuracy lost without each family of statistics: {_first(families)}; "
            f"without one statistic alone: {_first(statistics)}.",
        ),
        Panel(
            draw_lost(where),
            f"Balanced accuracy lost without a stage of learning: {_first(stages)}; without a "
            f"depth: {_first(depths)}.",
        ),
    ]
    if bool(share.notnull().any()):  # a forest without splits has no importance
        alt = f"Gini importance by statistic, stage and depth; the largest: {_greatest(share)}."
        panels.insert(1, Panel(draw_maps(share), alt))
    return CaptionedFigure(tuple(panels), _caption(found))


def _caption(found: xr.Dataset) -> str:
    sure = percent(float(found.attrs["confidence"]))
    known = {**found.attrs, **found.data_vars}
    whole, chance = (float(known[name]) for name in ("balanced_accuracy", "chance"))
    return (
        "Balanced accuracy lost when statistics are permuted among test subjects, with "
        f"{sure} intervals. The accuracy without permutation is {whole:.2f}, chance is "
        f"{chance:.2f}. Redundant statistics replace each other, so a family can be important "
        "although none of its members is. Colour: Gini importance in a random forest, which "
        "divides importance among redundant statistics; 1 is the mean over all statistics. At most "
        f"{_MOST} statistics are listed, in order of the values drawn, so the largest are biased "
        "upwards."
    )


def _of_kind(found: xr.Dataset, kind: str) -> xr.Dataset:
    mine = np.array([str(each) == kind for each in found["group_kind"].values], dtype=bool)
    of = found[["relevance", "relevance_interval"]].isel(group=mine)
    return of.isel(group=np.isfinite(of["relevance"].to_numpy()))


def _ranked(of: xr.Dataset) -> xr.Dataset:
    order = np.argsort(-of["relevance"].to_numpy(), kind="stable")
    return of.isel(group=order[:_MOST])


def _largest(gini: xr.DataArray) -> xr.DataArray:
    """Importance relative to its mean, of the most important statistics."""
    total = gini.sum(["stage", "depth"]).to_numpy()  # 0 where nothing was measured
    share = gini * (gini[0].size * np.count_nonzero(total))
    return share.isel({CHANGE_NAME: np.argsort(-total, kind="stable")[:_MOST]})


def _first(of: xr.Dataset) -> str:
    ranked = _ranked(of)["relevance"]
    return ", ".join(
        f"{pretty(str(name))} {value:.2f}"
        for name, value in zip(
            ranked["group"].values[:_NAMED], ranked.to_numpy()[:_NAMED], strict=True
        )
    )


def _greatest(share: xr.DataArray) -> str:
    at = share.isel(share.argmax(...))
    return (
        f"{pretty(str(at[CHANGE_NAME].values))}, {at['depth'].values}, from visit "
        f"{int(at['first_visit'])}: {float(at):.1f} times the mean"
    )


def draw_lost(sections: Mapping[str, xr.Dataset], *, title: str = "") -> Figure:
    """Draw the accuracy lost without each group of statistics, in sections from the top down."""
    sizes = [max(of.sizes["group"], 1) for of in sections.values()]
    with theme():
        height = 0.75 + sum(_ROW * size + 0.3 for size in sizes)
        figure = Figure(figsize=(PANEL_WIDTH, height), layout="constrained")
        every = figure.subplots(
            len(sizes), 1, sharex=True, squeeze=False, gridspec_kw={"height_ratios": sizes}
        )[:, 0]
        for axes, (heading, of) in zip(every, sections.items(), strict=True):
            _section(axes, of)
            axes.set_title(heading, loc="left", fontsize=8.5, color=CONTROL_GREY, pad=3)
        every[-1].set_xlabel("balanced accuracy lost")
        set_figure_title(figure, title)
        handles = legend_entries(every)
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
    vertical_line(axes, 0.0, zorder=0.0)
    as_rows(axes, [pretty(str(name)) for name in of["group"].values])


def draw_maps(share: xr.DataArray) -> Figure:
    """Draw importance relative to its mean, as a map of statistic by stage for each depth."""
    # Only the ends of the axis have labels.
    ends = [0.5, share.sizes["stage"] - 0.5]
    visits = [f"{int(share['first_visit'][0])}", f"{int(share['last_visit'][-1])}"]
    depths = [str(depth) for depth in share["depth"].values]
    names = [pretty(str(name)) for name in share["change_name"].values]
    with theme():
        height = 1.3 + _ROW * share.sizes["change_name"]
        figure = Figure(figsize=(PANEL_WIDTH, height), layout="constrained")
        every = figure.subplots(1, len(depths), sharey=True, squeeze=False)[0]
        top = float(share.max())
        for axes, depth in zip(every, depths, strict=True):
            values = share.sel(depth=depth).transpose("change_name", "stage").to_numpy()
            heat_map(axes, values, names, top)
            axes.set_title(depth.replace(" - ", " −\n"), loc="center", fontsize=6.5)  # noqa: RUF001
            axes.set_xticks(ends[: share.sizes["stage"]], visits[: share.sizes["stage"]])
        every[len(depths) // 2].set_xlabel("visit", labelpad=2)
        figure.colorbar(
            every[0].collections[0],
            ax=list(every),
            location="bottom",
            label="Gini importance relative to the mean",
            aspect=40,
            fraction=0.04,
        )
    return figure


def heat_map(axes: Axes, values: np.ndarray, names: Sequence[str], top: float) -> None:
    """Draw values, (row, column), as colours from 0 to ``top``, with a name for each row."""
    sns.heatmap(
        values,
        ax=axes,
        vmin=0,
        vmax=top,
        cmap=_MAP,
        cbar=False,
        linewidths=0.4,
        xticklabels=False,
        yticklabels=list(names),
    )
    axes.tick_params(length=0)
    axes.tick_params(axis="x", rotation=0, labelsize=7)
    axes.tick_params(axis="y", rotation=0, labelsize=7)
