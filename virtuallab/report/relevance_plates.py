"""What of a recording carries the rule, as figures with their words."""

from __future__ import annotations

from typing import Final

import numpy as np
import xarray as xr

from virtuallab.report.figures import importance as relevance
from virtuallab.report.figures.common.captioned import Panel, Plate
from virtuallab.report.results.analyses import Analysis
from virtuallab.report.style import pretty
from virtuallab.vocabulary import CHANGE_NAME, CLASSIFIER, OBSERVABLE, PROBE, STATISTIC, VISIT

_MOST: Final = 15  # rows of a list; what comes after is worth next to nothing
_TOLD: Final = 3


def relevance_plate(found: xr.Dataset, *, title: str) -> Plate:
    """Draw which families and statistics matter, where a forest finds them, when and how deep.

    Parameters
    ----------
    found : xr.Dataset
        ``relevance`` with its interval and ``gini``, of one classifier and observable. Out of a
        joined table, what this question did not have is missing in it.
    title : str
        What was decoded.
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
            relevance.lost(what, title=title),
            f"Balanced accuracy lost without each family of statistics: {_told(families)}; "
            f"without one statistic alone: {_told(statistics)}.",
        ),
        Panel(
            relevance.lost(where),
            f"Balanced accuracy lost without a stage of learning: {_told(stages)}; without a "
            f"depth: {_told(depths)}.",
        ),
    ]
    if bool(share.notnull().any()):  # a forest that never split, as of constant columns, has none
        words = f"Gini importance by statistic, stage and depth; the largest: {_greatest(share)}."
        panels.insert(1, Panel(relevance.maps(share), words))
    return Plate(tuple(panels), _caption(found))


def relevance_of_shown(analysis: Analysis) -> Plate | None:
    """Draw it of the primary result of an analysis, or of the best; None where it was not asked."""
    shown, verdict = analysis.shown, analysis.dataset
    if shown is None or "relevance" not in verdict:
        return None
    at = {PROBE: shown.probe, OBSERVABLE: shown.observable, CLASSIFIER: shown.classifier}
    one = verdict.sel(at)
    found = one.isel(group=np.isfinite(one["relevance"].values))
    found = found.assign_attrs(confidence=analysis.confidence, chance=analysis.chance)
    title = f"{shown.probe}: {pretty(shown.observable)}, {pretty(shown.classifier)}"
    return relevance_plate(found, title=title)


def gini_plate(found: xr.Dataset, *, title: str) -> Plate:
    """Draw the importance of each statistic at each visit, where layers were the samples.

    Parameters
    ----------
    found : xr.Dataset
        ``gini`` (statistic, visit) and ``gini_depth`` (depth).
    title : str
        What was decoded.
    """
    visits = found[VISIT].to_numpy()
    gini = found["gini"].rename({STATISTIC: CHANGE_NAME, VISIT: "stage"}).expand_dims("depth", -1)
    gini = gini.assign_coords(
        depth=np.array(["all layers"], dtype=object),
        first_visit=("stage", visits),
        last_visit=("stage", visits),
    )
    share = _largest(gini)
    thirds = ", ".join(f"{each['depth'].item()} {float(each):.4f}" for each in found["gini_depth"])
    panel = Panel(
        relevance.maps(share, title=title),
        f"Gini importance by statistic and visit; the largest: {_greatest(share)}.",
    )
    caption = (
        "Gini importance in a forest whose samples are layers; 1 is an equal share of all. "
        f"Statistics that say the same share it by chance. Of the indicators of depth: {thirds}."
    )
    return Plate((panel,), caption)


def _caption(found: xr.Dataset) -> str:
    percent = f"{100 * float(found.attrs['confidence']):g} %"
    known = {**found.attrs, **found.data_vars}
    whole, chance = (float(known[name]) for name in ("balanced_accuracy", "chance"))
    return (
        "Which statistics carry the rule: balanced accuracy lost when statistics are exchanged "
        f"among held-out subjects, with {percent} intervals; with nothing exchanged it is "
        f"{whole:.2f}, "
        f"chance {chance:.2f}. Statistics that say the same stand in for one another, so a whole "
        "family can matter where none of its members does alone. In colour: a forest's Gini "
        "importance, which such statistics share by chance; 1 is an equal share of all. At most "
        f"{_MOST} statistics are listed, chosen by the numbers that are drawn: the largest of many "
        "had luck on its side."
    )


def _of_kind(found: xr.Dataset, kind: str) -> xr.Dataset:
    mine = np.array([str(each) == kind for each in found["group_kind"].values], dtype=bool)
    of = found[["relevance", "relevance_interval"]].isel(group=mine)
    return of.isel(group=np.isfinite(of["relevance"].to_numpy()))


def _ranked(of: xr.Dataset) -> xr.Dataset:
    order = np.argsort(-of["relevance"].to_numpy(), kind="stable")
    return of.isel(group=order[:_MOST])


def _largest(gini: xr.DataArray) -> xr.DataArray:
    """Importance in equal shares of all that was measured, of the statistics with the most."""
    total = gini.sum(["stage", "depth"]).to_numpy()  # 0 where nothing was measured
    share = gini * (gini[0].size * np.count_nonzero(total))
    return share.isel({CHANGE_NAME: np.argsort(-total, kind="stable")[:_MOST]})


def _told(of: xr.Dataset) -> str:
    ranked = _ranked(of)["relevance"]
    return ", ".join(
        f"{pretty(str(name))} {value:.2f}"
        for name, value in zip(
            ranked["group"].values[:_TOLD], ranked.to_numpy()[:_TOLD], strict=True
        )
    )


def _greatest(share: xr.DataArray) -> str:
    at = share.isel(share.argmax(...))
    return (
        f"{pretty(str(at[CHANGE_NAME].values))}, {at['depth'].values}, from visit "
        f"{int(at['first_visit'])}: {float(at):.1f} equal shares"
    )
