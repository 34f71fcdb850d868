"""What designs cost and what they reach."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from virtuallab.decoder.power_result import DesignResult
from virtuallab.report.figures.common.logarithmic import make_logarithmic
from virtuallab.report.figures.designs.setting_curves import draw_level
from virtuallab.report.style import CONTROL_GREY, INK, PANEL_WIDTH, theme

_COLOUR = "#8455c0"
_WIDE = 20  # times the lowest cost, from which on the axis is logarithmic


def draw(
    tried: Sequence[DesignResult],
    front: Sequence[DesignResult],
    *,
    target: float,
    chance: float,
    confirmed: DesignResult | None = None,
    width: float = PANEL_WIDTH,
) -> Figure:
    """Draw accuracy against cost, with the designs that no other beats joined by a line.

    Parameters
    ----------
    tried, front : sequence of DesignResult
    target, chance : float
    confirmed : DesignResult, optional
        The design that was chosen, tried anew.
    width : float
        In inches.
    """
    with theme():
        figure = Figure(figsize=(width, 3.1), layout="constrained")
        axes = figure.subplots()
        cost = np.array([each.cost for each in tried])
        axes.plot(
            cost,
            [each.accuracy for each in tried],
            linestyle="none",
            marker="o",
            markersize=3.5,
            color=CONTROL_GREY,
            label="tried",
            clip_on=False,  # so that a point on the edge of the axis is whole
        )
        ends = np.array([(each.cost, each.accuracy, each.low, each.high) for each in front]).T
        axes.vlines(
            ends[0], ends[2], ends[3], color=_COLOUR, alpha=0.35, linewidth=1.4, clip_on=False
        )
        axes.step(
            ends[0],
            ends[1],
            where="post",
            color=_COLOUR,
            marker="o",
            markersize=4.5,
            label="front",
            clip_on=False,
        )
        if confirmed is not None:
            axes.errorbar(
                confirmed.cost,
                confirmed.accuracy,
                # The interval of an accuracy of 0 or 1 does not hold it.
                yerr=[
                    [max(confirmed.accuracy - confirmed.low, 0)],
                    [max(confirmed.high - confirmed.accuracy, 0)],
                ],
                color="#b3246b",
                marker="D",
                markersize=6,
                linestyle="none",
                label="chosen, tried anew",
            )
        draw_level(axes, target, "target")
        draw_level(axes, chance, "chance")
        if cost.min() > 0 and cost.max() / cost.min() > _WIDE:
            make_logarithmic(axes, "x", cost.min() / 1.3, cost.max() * 1.3)
        axes.set(xlabel="cost", ylabel="balanced accuracy", ylim=(0, 1))
        axes.grid(axis="y", alpha=0.13, color=INK, linewidth=0.7)
        axes.set_axisbelow(True)
        figure.legend(loc="outside lower center", ncols=3, handletextpad=0.4)
    return figure
