"""Figure "Accuracy by probe and observable"."""

from __future__ import annotations

from typing import Final

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from virtuallab.errors import UserError
from virtuallab.reporting.figures.common.axes import accuracy_rows, points, set_title, single_axes
from virtuallab.reporting.figures.common.captioned import CaptionedFigure, Panel
from virtuallab.reporting.results.analyses import analyses, why_none
from virtuallab.reporting.results.decoding import AnalysisResult
from virtuallab.reporting.results.verdict import judge
from virtuallab.reporting.style import PANEL_WIDTH, observable_look, pretty, theme
from virtuallab.text import count_noun, percent
from virtuallab.vocabulary import OBSERVABLE, PROBE

_ROW: Final = 0.17  # inches between two observables of a probe


def accuracy_figure(analysis: AnalysisResult) -> CaptionedFigure:
    """Accuracy by probe and observable, with a panel for each classifier."""
    panels = []
    for classifier, (value, interval) in analysis.by_classifier().items():
        figure = draw(value, interval, chance=analysis.chance, title=pretty(classifier))
        members = [r for r in analysis.results if r.classifier == classifier]
        each = "; ".join(f"{r.probe}, {pretty(r.observable)}: {r.accuracy}" for r in members)
        what = f"Balanced accuracy of {pretty(classifier)}, chance {analysis.chance:.2f}"
        panels.append(Panel(figure, f"{what}. {each}."))
    caption = (
        f"Balanced accuracy with {percent(analysis.confidence)} intervals, by probe and "
        f"observable{analysis.counted}. Dashed line: chance, {analysis.chance:.2f} among "
        f"{count_noun(analysis.n_rules, 'rule')}."
    )
    return CaptionedFigure(tuple(panels), caption)


def summary_figure(tree: xr.DataTree, *, width: float = 7.2) -> Figure:
    """Accuracy by probe and observable, for the first analysis.

    Parameters
    ----------
    tree : xr.DataTree
        An experiment that was decoded, as :func:`virtuallab.open` returns it.
    width : float
        Width of the figure in inches.

    Returns
    -------
    matplotlib.figure.Figure
        For files, see :func:`virtuallab.reporting.render.png`.

    Raises
    ------
    UserError
        If nothing is decoded, with the reason.
    """
    every = analyses(tree)
    found = [analysis for analysis in every if analysis.shown]
    if not found:
        reason = judge(every[0]).sentence if every else why_none(tree)
        raise UserError(f"there is nothing to draw. {reason}")
    shown = found[0].shown
    assert shown is not None
    value, interval = found[0].by_classifier()[shown.classifier]
    return draw(value, interval, chance=found[0].chance, width=width)


def draw(
    accuracy: xr.DataArray,
    interval: xr.DataArray,
    *,
    chance: float,
    width: float = PANEL_WIDTH,
    title: str = "",
) -> Figure:
    """Draw a point with its interval for each probe and observable.

    ``accuracy`` has the dimensions (probe, observable), NaN if a probe lacks an observable;
    ``interval`` also ``bound``. ``width`` is in inches.
    """
    probes = [str(probe) for probe in accuracy[PROBE].to_numpy()]
    observables = [str(name) for name in accuracy[OBSERVABLE].to_numpy()]
    step = 1.0 / (len(observables) + 1.2)
    with theme():
        figure, axes = single_axes(1.25 + _ROW * (len(observables) + 1.2) * len(probes), width)
        for place, observable in enumerate(observables):
            look = observable_look(observable)
            offset = (place - (len(observables) - 1) / 2) * step
            points(
                axes,
                accuracy.sel({OBSERVABLE: observable}),
                interval.sel({OBSERVABLE: observable}),
                np.arange(len(probes)) + offset,
                colour=look.colour,
                marker=look.marker,
                label=pretty(observable),
            )
        accuracy_rows(axes, probes, chance)
        set_title(axes, title)
        columns = len(observables) if width > PANEL_WIDTH else min(len(observables), 2)
        figure.legend(loc="outside lower center", ncols=columns, handletextpad=0.3)
    return figure
