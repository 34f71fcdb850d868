"""Figure "Rules left out of training": whether an unknown rule is recognised as unknown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
from matplotlib.figure import Figure

from virtuallab.reporting.figures.common.axes import (
    as_rows,
    bars,
    set_title,
    single_axes,
    vertical_line,
)
from virtuallab.reporting.figures.common.captioned import CaptionedFigure, Panel
from virtuallab.reporting.results.decoding import AnalysisResult
from virtuallab.reporting.style import INK, pretty, theme

_ROW: Final = 0.21  # inches


def left_out_figure(analysis: AnalysisResult) -> CaptionedFigure | None:
    """Recognition of left-out rules, for one result of each probe; None if none was left out."""
    chosen = [result for result in analysis.of_probes if result.left_out]
    if not chosen:
        return None
    rules = dict.fromkeys(rule for result in chosen for rule in result.left_out)
    # One order for all panels, so that they can be compared.
    mean = {r: np.mean([each.left_out[r] for each in chosen if r in each.left_out]) for r in rules}
    order = sorted(rules, key=lambda rule: -mean[rule])
    panels = []
    for result in chosen:
        areas = {rule: result.left_out[rule] for rule in order if rule in result.left_out}
        each = ", ".join(f"{pretty(rule)} {area:.2f}" for rule, area in areas.items())
        alt = f"AUROC of “none of these” for {result.title}, by the rule left out: {each}."
        panels.append(Panel(draw(areas, title=result.title), alt))
    caption = (
        "Each rule was left out of training in turn, and its subjects shown beside subjects of the "
        "rules that the decoder knows: how well “none of these” is told (area under the curve; "
        f"dashed: guessing), {analysis.choice}. A rule near the dashed line would "
        "be taken for one that the decoder knows."
    )
    return CaptionedFigure(tuple(panels), caption)


def draw(auroc: Mapping[str, float], *, title: str = "") -> Figure:
    """Draw a bar for each rule that was left out of training.

    Parameters
    ----------
    auroc : mapping from rule to float
        Area under the ROC curve, from 0 to 1; 0.5 is guessing.
    title : str
    """
    with theme():
        figure, axes = single_axes(0.95 + _ROW * len(auroc))
        bars(axes, np.arange(len(auroc)), list(auroc.values()))
        for place, area in enumerate(auroc.values()):
            axes.annotate(f"{area:.2f}", (0.012, place), va="center", fontsize=7.5, color=INK)
        vertical_line(axes, 0.5, "guessing 0.50")
        as_rows(axes, [pretty(rule) for rule in auroc])
        axes.set(xlim=(0, 1), xlabel="AUROC of “none of these”")
        set_title(axes, title)
    return figure
