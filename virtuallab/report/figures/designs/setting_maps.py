"""Accuracy over two settings of a recording design."""

from __future__ import annotations

import numpy as np
import seaborn as sns
from matplotlib.figure import Figure

from virtuallab.report.style import PANEL_WIDTH, theme

_MAP = "crest"


def draw(
    values: np.ndarray,
    columns: np.ndarray,
    rows: np.ndarray,
    *,
    chance: float,
    across: str,
    down: str,
    title: str = "",
    width: float = PANEL_WIDTH,
) -> Figure:
    """Draw balanced accuracy as a table in colour, from chance to 1.

    Parameters
    ----------
    values : array, (row, column)
        NaN where there is no such design.
    columns, rows : array
        Values of the two settings, ascending.
    chance : float
    across, down : str
        What the settings are.
    title : str
    width : float
        In inches.
    """
    with theme():
        figure = Figure(figsize=(width, 1.1 + 0.36 * len(rows)), layout="constrained")
        axes = figure.subplots()
        sns.heatmap(
            values[::-1],  # more of it is higher up
            ax=axes,
            vmin=chance,
            vmax=1,
            cmap=_MAP,
            annot=True,
            fmt=".2f",
            annot_kws={"fontsize": 7.5},
            mask=np.isnan(values[::-1]),
            linewidths=1.2,
            cbar_kws={"label": "balanced accuracy", "shrink": 0.9},
            xticklabels=[f"{value:.4g}" for value in columns],
            yticklabels=[f"{value:.4g}" for value in rows[::-1]],
        )
        axes.set(xlabel=across, ylabel=down)
        axes.tick_params(length=0)
        axes.tick_params(axis="y", rotation=0)
        axes.tick_params(axis="x", rotation=0)
        axes.set_title(title, loc="left")
    return figure
