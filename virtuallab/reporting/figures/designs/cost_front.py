"""Figure "Accuracy and cost": balanced accuracy against cost of all evaluated designs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from matplotlib.figure import Figure

from virtuallab.decoder.power_result import DesignResult, PowerResult
from virtuallab.reporting.figures.common.axes import (
    accuracy_level,
    faint_grid,
    make_logarithmic,
    single_axes,
)
from virtuallab.reporting.figures.common.captioned import CaptionedFigure, Panel
from virtuallab.reporting.style import CONTROL_GREY, theme
from virtuallab.text import count_noun, percent

_FRONT: Final = "#8455c0"
_CONFIRMED: Final = "#b3246b"
_WIDE: Final = 20  # ratio of costs above which the axis is logarithmic


def cost_front_figure(found: PowerResult) -> CaptionedFigure:
    """Accuracy against cost, with the best designs at their cost."""
    figure = draw(
        found.tried,
        found.front,
        target=found.target,
        chance=found.chance,
        confirmed=found.confirmed,
    )
    each = "; ".join(f"{one.accuracy:.2f} at a cost of {one.cost:.4g}" for one in found.front)
    alt = f"Balanced accuracy against cost. Best designs at their cost: {each}."
    new = " The accuracy of the recommended design is measured in new recordings."
    caption = (
        f"Cost and balanced accuracy of {count_noun(len(found.tried), 'design')}. Line: best "
        f"designs at their cost, with {percent(found.confidence)} intervals. They were selected by "
        "the accuracies drawn, which are therefore biased upwards."
        f"{new if found.confirmed is not None else ''}"
    )
    return CaptionedFigure((Panel(figure, alt),), caption)


def draw(
    tried: Sequence[DesignResult],
    front: Sequence[DesignResult],
    *,
    target: float,
    chance: float,
    confirmed: DesignResult | None = None,
) -> Figure:
    """Draw accuracy against cost, with a line through the best designs at their cost.

    ``confirmed`` is the recommended design, measured in new recordings.
    """
    with theme():
        figure, axes = single_axes(3.1)
        cost = np.array([each.cost for each in tried])
        axes.plot(
            cost,
            [each.accuracy for each in tried],
            linestyle="none",
            marker="o",
            markersize=3.5,
            color=CONTROL_GREY,
            label="evaluated",
            clip_on=False,  # points on the edge stay whole
        )
        ends = np.array([(each.cost, each.accuracy, each.low, each.high) for each in front]).T
        axes.vlines(
            ends[0], ends[2], ends[3], color=_FRONT, alpha=0.35, linewidth=1.4, clip_on=False
        )
        axes.step(
            ends[0],
            ends[1],
            where="post",
            color=_FRONT,
            marker="o",
            markersize=4.5,
            label="best at their cost",
            clip_on=False,
        )
        if confirmed is not None:
            axes.errorbar(
                confirmed.cost,
                confirmed.accuracy,
                # The interval of an accuracy of 0 or 1 does not contain it.
                yerr=[
                    [max(confirmed.accuracy - confirmed.low, 0)],
                    [max(confirmed.high - confirmed.accuracy, 0)],
                ],
                color=_CONFIRMED,
                marker="D",
                markersize=6,
                linestyle="none",
                label="recommended",
            )
        accuracy_level(axes, target, "target")
        accuracy_level(axes, chance, "chance")
        if cost.min() > 0 and cost.max() / cost.min() > _WIDE:
            make_logarithmic(axes, "x", cost.min() / 1.3, cost.max() * 1.3)
        axes.set(xlabel="cost", ylabel="balanced accuracy", ylim=(0, 1))
        faint_grid(axes, "y")
        figure.legend(loc="outside lower center", ncols=3, handletextpad=0.4)
    return figure
