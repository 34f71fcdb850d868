"""Figure "Detection of unknown rules": AUROC of novelty for rules left out of training."""

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
    """Detection of left-out rules, for one result of each probe; None if none was left out."""
    chosen = [result for result in analysis.of_probes if result.left_out]
    if not chosen:
        return None
    rules = dict.fromkeys(rule for result in chosen for rule in result.left_out)
    # One order for all panels.
    mean = {r: np.mean([each.left_out[r] for each in chosen if r in each.left_out]) for r in rules}
    order = sorted(rules, key=lambda rule: -mean[rule])
    panels = []
    for result in chosen:
        areas = {rule: result.left_out[rule] for rule in order if rule in result.left_out}
        each = ", ".join(f"{pretty(rule)} {area:.2f}" for rule, area in areas.items())
        alt = f"AUROC for detecting rules left out of training, {result.title}: {each}."
        panels.append(Panel(draw(areas, title=result.title), alt))
    caption = (
        "Detection of unknown rules: each rule is left out of training in turn, and novelty is to "
        "distinguish its subjects from subjects of the other rules. The area under the ROC curve "
        f"(AUROC) is 1 for perfect detection and 0.5 for guessing (dashed), {analysis.choice}. A "
        "rule near the dashed line would be identified as one of the others."
    )
    return CaptionedFigure(tuple(panels), caption)


def draw(auroc: Mapping[str, float], *, title: str = "") -> Figure:
    """Draw a bar for each rule that was left out of training."""
    with theme():
        figure, axes = single_axes(0.95 + _ROW * len(auroc))
        bars(axes, np.arange(len(auroc)), list(auroc.values()))
        for place, area in enumerate(auroc.values()):
            axes.annotate(f"{area:.2f}", (0.012, place), va="center", fontsize=7.5, color=INK)
        vertical_line(axes, 0.5, "guessing 0.50")
        as_rows(axes, [pretty(rule) for rule in auroc])
        axes.set(xlim=(0, 1), xlabel="AUROC of detection as unknown")
        set_title(axes, title)
    return figure
