"""Whether a rule that the decoder does not know is told from those that it knows."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure

from virtuallab.report.figures.held_out import bars, reference
from virtuallab.report.style import INK, PANEL_WIDTH, pretty, theme

_ROW = 0.21  # inches


def draw(auroc: Mapping[str, float], *, title: str = "") -> Figure:
    """Draw a bar for each rule that was left out of training.

    Parameters
    ----------
    auroc : mapping from rule to float
        Area under the curve, from 0 to 1; at 0.5 one might as well toss a coin.
    title : str
    """
    with theme():
        height = 0.95 + _ROW * len(auroc)
        figure = Figure(figsize=(PANEL_WIDTH, height), layout="constrained")
        axes = figure.subplots()
        bars(axes, np.arange(len(auroc)), list(auroc.values()))
        for place, area in enumerate(auroc.values()):
            axes.annotate(f"{area:.2f}", (0.012, place), va="center", fontsize=7.5, color=INK)
        reference(axes, 0.5, "guessing 0.50", len(auroc))
        axes.set_yticks(range(len(auroc)), [pretty(rule) for rule in auroc])
        axes.set(xlabel="AUROC of “none of these”")
        axes.set_title(title, loc="left", pad=14 if title else None)
    return figure
