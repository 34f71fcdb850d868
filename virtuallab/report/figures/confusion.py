"""Which rules are taken for which."""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from scipy.cluster import hierarchy
from scipy.spatial.distance import squareform

from virtuallab.report.style import INK, PANEL_WIDTH, pretty, theme

# White to this blue by opacity: lightness falls by nearly the same for each tenth of a share.
_FILL = "#0173b2"
_WHITE_FROM = 0.85  # the share above which white has more contrast than ink
_CELL = 0.42  # inches: a share of two digits in bold, with room to spare


def draw(counts: xr.DataArray, *, title: str = "") -> Figure:
    """Draw a confusion matrix: each row adds up to one, the diagonal is what was right.

    Parameters
    ----------
    counts : xr.DataArray
        Subjects (or shares of them) by true and predicted rule, dims (true_rule, predicted_rule).
    title : str
    """
    rules = [str(rule) for rule in counts["true_rule"].to_numpy()]
    predicted = [str(rule) for rule in counts["predicted_rule"].to_numpy()]
    shares = row_shares(counts)
    longest = max(len(pretty(rule)) for rule in rules)
    width = max(PANEL_WIDTH, _CELL * len(predicted) + 0.075 * longest + 0.5)
    with theme():
        figure = Figure(figsize=(width, _CELL * len(rules) + 1.55), layout="constrained")
        axes = figure.subplots()
        for (row, column), share in np.ndenumerate(shares):
            # Transparent where the share is nothing: the page's own ground shows through.
            alpha = float(np.nan_to_num(share))
            axes.add_patch(
                Rectangle((column, row), 1, 1, facecolor=_FILL, alpha=alpha, linewidth=0)
            )
            if np.isfinite(share):
                colour = "white" if share > _WHITE_FROM else INK
                text = f"{share:.2f}" if share > 0 else "·"
                weight = "bold" if rules[row] == predicted[column] else "normal"
                middle = (column + 0.5, row + 0.5)
                axes.annotate(
                    text, middle, ha="center", va="center", color=colour, fontweight=weight
                )
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
    return figure


def neighbours(counts: xr.DataArray) -> list[str]:
    """Order rules so that those taken for one another stand side by side.

    The leaves of an average-linkage tree over how often two rules are confused, in the order in
    which neighbours differ least (Bar-Joseph et al. 2001). As they come where none are confused.

    Parameters
    ----------
    counts : xr.DataArray
        As for :func:`draw`, with the same rules on both dims.
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
    # The tree may be read from either end: begin where the alphabet does.
    return [rules[leaf] for leaf in (leaves if leaves[0] < leaves[-1] else leaves[::-1])]


def row_shares(counts: xr.DataArray) -> np.ndarray:
    """Share of each true rule's subjects, (true_rule, predicted_rule); NaN for a rule of nobody."""
    values = counts.transpose("true_rule", "predicted_rule").to_numpy().astype(float)
    total = values.sum(axis=1, keepdims=True)
    shares = np.divide(values, total, out=np.full_like(values, np.nan), where=total > 0)
    return np.asarray(shares)
