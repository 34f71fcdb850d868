"""Figure "Accuracy against two settings": the first two settings that vary."""

from __future__ import annotations

from typing import Final

import numpy as np
import seaborn as sns
import xarray as xr
from matplotlib.figure import Figure

from virtuallab.reporting.figures.common.axes import single_axes
from virtuallab.reporting.figures.common.captioned import CaptionedFigure, Panel
from virtuallab.reporting.figures.designs.settings import (
    at_best,
    groups,
    held_text,
    measured_observables,
    numeric_settings,
)
from virtuallab.reporting.style import pretty, setting_name, theme
from virtuallab.vocabulary import OBSERVABLE

_MAP: Final = "crest"


def setting_maps(found: xr.Dataset) -> list[CaptionedFigure]:
    """Accuracy against two settings, for each name of designs that vary in two or more."""
    figures = []
    for classifier, name, of in groups(found):
        settings = numeric_settings(of)
        if len(settings) < 2:
            continue
        across, down = map(setting_name, settings[:2])
        at = at_best(of, settings[2:])
        columns, column = np.unique(at[settings[0]].values, return_inverse=True)
        rows, row = np.unique(at[settings[1]].values, return_inverse=True)
        panels = []
        for observable in measured_observables(of):
            values = np.full((len(rows), len(columns)), np.nan)
            values[row, column] = at["balanced_accuracy"].sel({OBSERVABLE: observable}).values
            title = f"{name}: {pretty(observable)}"
            figure = draw(
                values,
                columns,
                rows,
                chance=float(found.attrs["chance"]),
                across=across,
                down=down,
                title=title,
            )
            span = f"{np.nanmin(values):.2f} to {np.nanmax(values):.2f}"
            panels.append(Panel(figure, f"Balanced accuracy of {title}: from {span}."))
        held = held_text(at, settings[2:])
        caption = f"Balanced accuracy against {across} and {down}{held}, {classifier}."
        figures.append(CaptionedFigure(tuple(panels), caption))
    return figures


def draw(
    values: np.ndarray,
    columns: np.ndarray,
    rows: np.ndarray,
    *,
    chance: float,
    across: str,
    down: str,
    title: str = "",
) -> Figure:
    """Draw balanced accuracy, (row, column), as a coloured table from chance to 1.

    NaN is left out. ``columns`` and ``rows`` are ascending values of the settings ``across`` and
    ``down``.
    """
    with theme():
        figure, axes = single_axes(1.1 + 0.36 * len(rows))
        sns.heatmap(
            values[::-1],
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
        axes.tick_params(length=0, rotation=0)
        axes.set_title(title, loc="left")
    return figure
