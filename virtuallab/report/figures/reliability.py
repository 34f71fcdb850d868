"""Whether verdicts come true as often as the decoder says."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from virtuallab.report.style import CONTROL_GREY, INK, PANEL_WIDTH, theme

_FILL = "#0173b2"
_LARGEST = 150.0  # square points: the dot of the fullest bin


def draw(
    stated: Sequence[float], observed: Sequence[float], count: Sequence[int], *, title: str = ""
) -> Figure:
    """Draw a dot for each bin: how sure the decoder was, and how often it was right.

    A dot's area is its number of subjects. On the diagonal a decoder is as often right as it says;
    below it, it is too sure.

    Parameters
    ----------
    stated, observed : sequence of float
        Of each bin, between 0 and 1.
    count : sequence of int
        Subjects in each bin.
    title : str
    """
    subjects = np.asarray(count)
    areas = _LARGEST * subjects / subjects.max()
    with theme():
        figure = Figure(figsize=(PANEL_WIDTH, PANEL_WIDTH + 0.1), layout="constrained")
        axes = figure.subplots()
        axes.plot([0, 1], [0, 1], color=CONTROL_GREY, linestyle=(0, (4, 2)), linewidth=1.2)
        axes.vlines(stated, stated, observed, color=_FILL, linewidth=1.2, alpha=0.6)
        axes.scatter(
            stated, observed, s=areas, color=_FILL, alpha=0.85, linewidth=0, zorder=3, clip_on=False
        )
        axes.annotate("too sure", (0.97, 0.04), ha="right", **_QUIET)
        axes.annotate("not sure enough", (0.03, 0.96), va="top", **_QUIET)
        axes.set(xlim=(0, 1), ylim=(0, 1), aspect="equal")
        axes.set(xlabel="probability that it states", ylabel="share that were right")
        axes.grid(alpha=0.13, color=INK, linewidth=0.7)
        axes.set_axisbelow(True)
        axes.set_title(title, loc="left")
        axes.legend(
            handles=_legend(int(subjects.min()), int(subjects.max())),
            loc="lower right",
            bbox_to_anchor=(1, 0.09),
            handletextpad=0.3,
        )
    return figure


_QUIET: Final[dict[str, Any]] = {"fontsize": 7.5, "color": CONTROL_GREY}


def _legend(fewest: int, most: int) -> list[Line2D]:
    """Name the areas of the smallest and the largest dot, or one for both where they look alike."""
    if fewest < most / 2:
        return [_dot(f"{count} subjects", _LARGEST * count / most) for count in (fewest, most)]
    counted = f"{most}" if fewest == most else f"{fewest} to {most}"
    return [_dot(f"{counted} subjects", _LARGEST)]


def _dot(label: str, area: float) -> Line2D:
    return Line2D(
        [],
        [],
        linestyle="none",
        marker="o",
        markersize=float(np.sqrt(area)),  # a scatter's size is the square of a marker's
        color=_FILL,
        alpha=0.85,
        markeredgewidth=0,
        label=label,
    )
