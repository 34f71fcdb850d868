"""Figure "Generalisation to held-out groups": accuracy on held-out architectures, tasks, ..."""

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
from virtuallab.reporting.results.estimate import Estimate
from virtuallab.reporting.style import INK, pretty, theme
from virtuallab.text import percent

_ROW: Final = 0.21  # inches


def held_out_figure(analysis: AnalysisResult) -> CaptionedFigure | None:
    """Accuracy on each held-out group, for one result of each probe; None without any."""
    panels = []
    for result in analysis.of_probes:
        if not result.by_split:
            continue
        known, chance = result.accuracy, analysis.chance
        figure = draw(result.by_split, known=known.value, chance=chance, title=result.title)
        each = "; ".join(f"{label} {accuracy}" for label, accuracy in result.held_out.items())
        panels.append(
            Panel(
                figure,
                f"Accuracy of {result.title} on held-out groups: {each}; trained on all groups: "
                f"{known}; chance {chance:.2f}.",
            )
        )
    if not panels:
        return None
    caption = (
        "Balanced accuracy on each group if the decoder is trained on the other groups only, with "
        f"{percent(analysis.confidence)} intervals, {analysis.choice}{analysis.counted}. Solid "
        f"line: accuracy if trained on all groups; dashed line: chance, {analysis.chance:.2f}. A "
        "bar near the dashed line means that the decoder does not generalise to this group."
    )
    return CaptionedFigure(tuple(panels), caption)


def draw(
    by_split: Mapping[str, Mapping[str, Estimate]],
    *,
    known: float,
    chance: float,
    title: str = "",
) -> Figure:
    """Draw a bar with its interval for each held-out group.

    ``known`` is the balanced accuracy if trained on all groups.
    """
    rows = [
        row
        for split, groups in by_split.items()
        for row in ((split, None), *groups.items())  # a row for the name of the split
    ]
    with theme():
        figure, axes = single_axes(1.25 + _ROW * len(rows))
        places = np.array([place for place, (_, accuracy) in enumerate(rows) if accuracy])
        found = [accuracy for _, accuracy in rows if accuracy]
        bars(axes, places, [accuracy.value for accuracy in found])
        low, high = ([getattr(each, end) for each in found] for end in ("low", "high"))
        axes.hlines(places, low, high, color=INK, linewidth=1.2)
        axes.axvline(known, color=INK, linewidth=1.2, label=f"trained on all groups, {known:.2f}")
        vertical_line(axes, chance, f"chance {chance:.2f}")
        as_rows(axes, [name if accuracy else pretty(name) for name, accuracy in rows])
        for tick, (_, accuracy) in zip(axes.get_yticklabels(), rows, strict=True):
            tick.set_fontweight("normal" if accuracy else "bold")
        axes.set(xlim=(0, 1), xlabel="balanced accuracy")
        set_title(axes, title)
        figure.legend(loc="outside lower center", handletextpad=0.5)
    return figure
