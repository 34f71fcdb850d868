"""Figure "Confusion between rules"."""

from __future__ import annotations

from typing import Final

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from scipy.cluster import hierarchy
from scipy.spatial.distance import squareform

from virtuallab.reporting.figures.common.axes import FILL, single_axes
from virtuallab.reporting.figures.common.captioned import CaptionedFigure, Panel
from virtuallab.reporting.results.decoding import AnalysisResult
from virtuallab.reporting.style import INK, PANEL_WIDTH, pretty, theme

_WHITE_FROM: Final = 0.85  # share above which white text has more contrast
_CELL: Final = 0.42  # inches
_MANY: Final = 8  # rules, above which a matrix needs the width of the page


def confusion_figure(analysis: AnalysisResult) -> CaptionedFigure | None:
    """Confusion matrix of one result of each probe; None if not stored."""
    if "confusion" not in analysis.dataset or not analysis.results:
        return None
    of_probes = [
        (result, analysis.dataset["confusion"].sel(result.cell, drop=True))
        for result in analysis.of_probes
    ]
    # One order for all panels.
    order = neighbours(xr.concat([counts for _, counts in of_probes], "panel").sum("panel"))
    panels = []
    for result, found in of_probes:
        counts = found.sel(true_rule=order, predicted_rule=order)
        right = ", ".join(
            f"{pretty(rule)} {share:.2f}"
            for rule, share in zip(order, np.diag(row_shares(counts)), strict=True)
        )
        alt = f"Confusion matrix of {result.title}. Share identified correctly: {right}."
        panels.append(Panel(draw(counts, title=result.title), alt))
    caption = (
        "Share of the subjects of each true rule (row) that were identified as each rule (column), "
        f"{analysis.choice}{analysis.counted}. The diagonal shows correct identifications. Rules "
        "are ordered so that those confused most often are adjacent. This order comes from the "
        "same counts, so blocks near the diagonal are not evidence that rules are related."
    )
    return CaptionedFigure(tuple(panels), caption, full_width=len(order) > _MANY)


def draw(counts: xr.DataArray, *, title: str = "") -> Figure:
    """Draw a confusion matrix of numbers or shares of subjects, whose rows add up to one."""
    rules = [str(rule) for rule in counts["true_rule"].to_numpy()]
    longest = max(len(pretty(rule)) for rule in rules)
    width = max(PANEL_WIDTH, _CELL * counts.sizes["predicted_rule"] + 0.075 * longest + 0.5)
    with theme():
        figure, axes = single_axes(_CELL * len(rules) + 1.55, width)
        draw_matrix(axes, counts, title=title)
    return figure


def draw_matrix(axes: Axes, counts: xr.DataArray, *, title: str = "") -> None:
    """Draw a confusion matrix into axes; see :func:`draw`."""
    rules = [str(rule) for rule in counts["true_rule"].to_numpy()]
    predicted = [str(rule) for rule in counts["predicted_rule"].to_numpy()]
    for (row, column), share in np.ndenumerate(row_shares(counts)):
        alpha = float(np.nan_to_num(share))
        axes.add_patch(Rectangle((column, row), 1, 1, facecolor=FILL, alpha=alpha, linewidth=0))
        if np.isfinite(share):
            colour = "white" if share > _WHITE_FROM else INK
            text = f"{share:.2f}" if share > 0 else "·"
            weight = "bold" if rules[row] == predicted[column] else "normal"
            middle = (column + 0.5, row + 0.5)
            axes.annotate(text, middle, ha="center", va="center", color=colour, fontweight=weight)
    axes.set(xlim=(0, len(predicted)), ylim=(len(rules), 0))
    axes.set_xticks(np.arange(len(predicted)) + 0.5, [pretty(r) for r in predicted])
    axes.set_yticks(np.arange(len(rules)) + 0.5, [pretty(r) for r in rules])
    axes.tick_params(length=0)
    for tick in axes.get_xticklabels():
        tick.set(rotation=30, ha="right", rotation_mode="anchor")
    axes.set(xlabel="identified as", ylabel="true rule")
    for spine in axes.spines.values():
        spine.set(visible=True, alpha=0.35)
    axes.set_title(title, loc="left")


def neighbours(counts: xr.DataArray) -> list[str]:
    """Rules in an order in which those that are confused are adjacent.

    Leaves of an average-linkage tree of the shares of confusions, in optimal order (Bar-Joseph et
    al. 2001); the given order if no rules are confused.
    """
    rules = [str(rule) for rule in counts["true_rule"].to_numpy()]
    shares = np.nan_to_num(row_shares(counts.sel(predicted_rule=counts["true_rule"].to_numpy())))
    confused = (shares + shares.T) / 2
    np.fill_diagonal(confused, 0)
    if len(rules) < 3 or not confused.any():
        return rules
    apart = 1 - confused
    np.fill_diagonal(apart, 0)
    tree = hierarchy.linkage(squareform(apart), "average", optimal_ordering=True)
    leaves = list(hierarchy.leaves_list(tree))
    # Either end of the tree can be the first: use alphabetical order.
    return [rules[leaf] for leaf in (leaves if leaves[0] < leaves[-1] else leaves[::-1])]


def row_shares(counts: xr.DataArray) -> np.ndarray:
    """Confusion counts as shares of each true rule; NaN for a rule without subjects."""
    values = counts.transpose("true_rule", "predicted_rule").to_numpy().astype(float)
    total = values.sum(axis=1, keepdims=True)
    shares = np.divide(values, total, out=np.full_like(values, np.nan), where=total > 0)
    return np.asarray(shares)
