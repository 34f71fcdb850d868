"""What is left of an accuracy in subjects of a kind that no training subject was of."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from virtuallab.report.results.estimate import Estimate
from virtuallab.report.style import CONTROL_GREY, INK, PANEL_WIDTH, pretty, theme

_ROW = 0.21  # inches
_FILL = "#0173b2"


def draw(
    by_split: Mapping[str, Mapping[str, Estimate]],
    *,
    known: float,
    chance: float,
    title: str = "",
) -> Figure:
    """Draw a bar with its interval for each group that was held out, below the name of its split.

    Parameters
    ----------
    by_split : mapping from split to mapping from group to Estimate
        Balanced accuracy on each group.
    known : float
        Balanced accuracy where training subjects were of every group.
    chance : float
    title : str
    """
    rows = [
        row
        for split, groups in by_split.items()
        for row in ((split, None), *groups.items())  # a row for the name of the split
    ]
    with theme():
        figure = Figure(figsize=(PANEL_WIDTH, 1.25 + _ROW * len(rows)), layout="constrained")
        axes = figure.subplots()
        places = np.array([place for place, (_, accuracy) in enumerate(rows) if accuracy])
        found = [accuracy for _, accuracy in rows if accuracy]
        bars(axes, places, [accuracy.value for accuracy in found])
        axes.hlines(
            places,
            [accuracy.low for accuracy in found],
            [accuracy.high for accuracy in found],
            color=INK,
            linewidth=1.2,
        )
        axes.axvline(known, color=INK, linewidth=1.2, label=f"trained on every kind, {known:.2f}")
        reference(axes, chance, f"chance {chance:.2f}", len(rows))
        axes.set_yticks(range(len(rows)), [pretty(name) if not acc else name for name, acc in rows])
        for tick, (_, accuracy) in zip(axes.get_yticklabels(), rows, strict=True):
            tick.set_fontweight("normal" if accuracy else "bold")
        axes.set(xlabel="balanced accuracy")
        axes.set_title(title, loc="left", pad=14 if title else None)
        figure.legend(loc="outside lower center", handletextpad=0.5)
    return figure


def bars(axes: Axes, places: np.ndarray, values: list[float]) -> None:
    """Draw horizontal bars from nothing to each value."""
    axes.barh(places, values, height=0.62, color=_FILL, alpha=0.55, linewidth=0)


def reference(axes: Axes, value: float, label: str, rows: int) -> None:
    """Give a plot of bars its axis, its grid and a dashed line at what says nothing."""
    axes.axvline(value, color=CONTROL_GREY, linestyle=(0, (4, 2)), linewidth=1.2)
    axes.annotate(
        label,
        (value, 1),
        xycoords=("data", "axes fraction"),
        xytext=(3, 2),
        textcoords="offset points",
        fontsize=7.5,
        color=CONTROL_GREY,
    )
    axes.set(xlim=(0, 1), ylim=(rows - 0.5, -0.5))
    axes.grid(axis="x", alpha=0.13, color=INK, linewidth=0.7)
    axes.set_axisbelow(True)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
