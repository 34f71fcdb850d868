"""Figure "Reliability": stated probability and observed accuracy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from virtuallab.reporting.figures.common.axes import DASHED, FILL, QUIET, faint_grid, single_axes
from virtuallab.reporting.figures.common.captioned import CaptionedFigure, Panel
from virtuallab.reporting.results.decoding import AnalysisResult
from virtuallab.reporting.style import CONTROL_GREY, PANEL_WIDTH, theme
from virtuallab.text import count_noun

_LARGEST: Final = 150.0  # square points: the dot of the fullest bin


def reliability_figure(analysis: AnalysisResult) -> CaptionedFigure | None:
    """Reliability diagram of one result of each probe; None if not measured."""
    panels, errors = [], []
    for result in analysis.of_probes:
        found = result.calibration
        if found is None or not found.count:
            continue
        figure = draw(found.stated, found.observed, found.count, title=result.title)
        bins = "; ".join(
            f"stated {stated:.2f}, correct {observed:.2f}, {count_noun(count, 'subject')}"
            for stated, observed, count in zip(
                found.stated, found.observed, found.count, strict=True
            )
        )
        panels.append(Panel(figure, f"Reliability diagram of {result.title}. {bins}."))
        errors.append(f"{result.probe} {found}")
    if not panels:
        return None
    caption = (
        "Probability that the decoder states for the most probable rule, and share of subjects for "
        "which that rule is correct, in bins of subjects (area of a dot: number of subjects), "
        f"{analysis.choice}{analysis.counted}. Dashed line: perfect calibration. The calibration "
        f"error is the mean distance from this line: {', '.join(errors)}."
    )
    return CaptionedFigure(tuple(panels), caption)


def draw(
    stated: Sequence[float], observed: Sequence[float], count: Sequence[int], *, title: str = ""
) -> Figure:
    """Draw the stated probability and the observed accuracy of each bin.

    The area of a dot is proportional to the number of subjects.
    """
    subjects = np.asarray(count)
    areas = _LARGEST * subjects / subjects.max()
    with theme():
        figure, axes = single_axes(PANEL_WIDTH + 0.1)
        axes.plot([0, 1], [0, 1], color=CONTROL_GREY, linestyle=DASHED, linewidth=1.2)
        axes.vlines(stated, stated, observed, color=FILL, linewidth=1.2, alpha=0.6)
        axes.scatter(
            stated, observed, s=areas, color=FILL, alpha=0.85, linewidth=0, zorder=3, clip_on=False
        )
        axes.annotate("overconfident", (0.97, 0.04), ha="right", **QUIET)
        axes.annotate("underconfident", (0.03, 0.96), va="top", **QUIET)
        axes.set(xlim=(0, 1), ylim=(0, 1), aspect="equal")
        axes.set(xlabel="stated probability", ylabel="share correct")
        faint_grid(axes)
        axes.set_title(title, loc="left")
        axes.legend(
            handles=_legend(int(subjects.min()), int(subjects.max())),
            loc="lower right",
            bbox_to_anchor=(1, 0.09),
            handletextpad=0.3,
        )
    return figure


def _legend(fewest: int, most: int) -> list[Line2D]:
    """The smallest and the largest dot, or one for both if they are similar."""
    if fewest < most / 2:
        return [
            _dot(count_noun(count, "subject"), _LARGEST * count / most) for count in (fewest, most)
        ]
    span = "" if fewest == most else f"{fewest} to "
    return [_dot(f"{span}{count_noun(most, 'subject')}", _LARGEST)]


def _dot(label: str, area: float) -> Line2D:
    return Line2D(
        [],
        [],
        linestyle="none",
        marker="o",
        markersize=float(np.sqrt(area)),  # a scatter's size is the square of a marker's
        color=FILL,
        alpha=0.85,
        markeredgewidth=0,
        label=label,
    )
