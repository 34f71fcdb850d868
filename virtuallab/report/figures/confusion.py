"""Which rules are taken for which."""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from virtuallab.report.style import INK, PANEL_WIDTH, pretty, theme

_FILL = "#0173b2"


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
    side = PANEL_WIDTH
    with theme():
        figure = Figure(figsize=(side, 0.42 * len(rules) + 1.55), layout="constrained")
        axes = figure.subplots()
        for (row, column), share in np.ndenumerate(shares):
            # Transparent where the share is nothing: the page's own ground shows through.
            alpha = float(np.nan_to_num(share))
            axes.add_patch(
                Rectangle((column, row), 1, 1, facecolor=_FILL, alpha=alpha, linewidth=0)
            )
            if np.isfinite(share):
                colour = "white" if share > 0.55 else INK
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


def row_shares(counts: xr.DataArray) -> np.ndarray:
    """Share of each true rule's subjects, (true_rule, predicted_rule); NaN for a rule of nobody."""
    values = counts.transpose("true_rule", "predicted_rule").to_numpy().astype(float)
    total = values.sum(axis=1, keepdims=True)
    shares = np.divide(values, total, out=np.full_like(values, np.nan), where=total > 0)
    return np.asarray(shares)
