"""Figure "Accuracy against one setting", for settings with several numeric values."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import seaborn as sns
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from virtuallab.reporting.figures.common.axes import (
    accuracy_level,
    faint_grid,
    make_logarithmic,
    single_axes,
)
from virtuallab.reporting.figures.common.captioned import CaptionedFigure, Panel
from virtuallab.reporting.figures.designs.settings import (
    at_best,
    groups,
    held_text,
    measured_observables,
    named,
    names_of,
    numeric_settings,
)
from virtuallab.reporting.style import Look, observable_look, pretty, setting_name, theme
from virtuallab.text import count_noun, percent
from virtuallab.vocabulary import CLASSIFIER, DESIGN, OBSERVABLE

_MARKERS: Final = "osD^vPX<>ph*"
_MARKED: Final = 25  # points of a curve, above which it has no markers
_DECADES: Final = 8  # ratio of values from which an axis is logarithmic


@dataclass(frozen=True)
class SettingCurve:
    """One curve of a figure.

    Parameters
    ----------
    label : str
    x : array, (point,)
        Values of the setting, ascending.
    value, low, high : array, (point,)
        Balanced accuracy with its interval.
    look : Look
    """

    label: str
    x: np.ndarray
    value: np.ndarray
    low: np.ndarray
    high: np.ndarray
    look: Look


def curve_of(of: xr.Dataset, setting: str, observable: str, name: str, look: Look) -> SettingCurve:
    """Accuracy of designs that differ in one setting, for one classifier and observable."""
    mine = of.sel({OBSERVABLE: observable}).sortby(setting)
    low, high = (mine["interval"].sel(bound=bound).values for bound in ("low", "high"))
    value = mine["balanced_accuracy"].values
    return SettingCurve(name, mine[setting].values, value, low, high, look)


def setting_curves(found: xr.Dataset) -> list[CaptionedFigure]:
    """A figure for each setting with several numeric values."""
    figures = list(_of_several_names(found))
    for classifier, name, of in groups(found):
        settings = numeric_settings(of)
        if len(settings) == 1 and len(_alike(found, settings)) > 1:
            continue  # drawn with the other names
        for setting in settings:
            others = [other for other in settings if other != setting]
            panels = list(_panels(of, setting, others, float(found.attrs["chance"]), name))
            if panels:
                caption = _caption(found, of, setting, others, classifier)
                figures.append(CaptionedFigure(tuple(panels), caption))
    return figures


def _alike(found: xr.Dataset, settings: list[str]) -> list[str]:
    """Names whose designs vary in exactly these settings."""
    return [n for n in names_of(found) if numeric_settings(named(found, n)) == settings]


def _of_several_names(found: xr.Dataset) -> Iterator[CaptionedFigure]:
    """Yield figures of several names that vary in the same setting."""
    colours = sns.color_palette("colorblind").as_hex()
    for setting in numeric_settings(found):
        names = _alike(found, [setting])
        if len(names) < 2:
            continue
        for classifier in map(str, found[CLASSIFIER].values):
            of = named(found, *names).sel({CLASSIFIER: classifier})
            panels = []
            for observable in measured_observables(of):
                lines = [
                    curve_of(mine, setting, observable, name, Look(colour, "solid", marker))
                    for name, colour, marker in zip(names, colours, _MARKERS, strict=False)
                    if observable in measured_observables(mine := named(of, name))
                ]
                chance = float(found.attrs["chance"])
                panels.append(_panel(lines, setting, chance, title=pretty(observable)))
            caption = _caption(found, of, setting, [], pretty(classifier))
            yield CaptionedFigure(tuple(panels), caption)


def _panels(
    of: xr.Dataset, setting: str, others: list[str], chance: float, name: str
) -> Iterator[Panel]:
    """Yield one panel for all observables, or one each with a line for each other setting."""
    observables = measured_observables(of)
    at = at_best(of, others[1:])
    if not others:
        lines = [curve_of(at, setting, o, pretty(o), observable_look(o)) for o in observables]
        yield _panel(lines, setting, chance, title=name)
        return
    levels = np.unique(at[others[0]].values)
    palette = sns.color_palette("crest", len(levels)).as_hex()
    for observable in observables:
        lines = [
            curve_of(
                at.isel({DESIGN: at[others[0]].values == level}),
                setting,
                observable,
                f"{level:.4g}",
                Look(colour, "solid", _MARKERS[place % len(_MARKERS)]),
            )
            for place, (level, colour) in enumerate(zip(levels, palette, strict=True))
        ]
        title = f"{name}: {pretty(observable)}"
        yield _panel(lines, setting, chance, title=title, legend=setting_name(others[0]))


def _panel(
    lines: list[SettingCurve], setting: str, chance: float, *, title: str, legend: str = ""
) -> Panel:
    axis = setting_name(setting)
    each = "; ".join(
        f"{line.label}: "
        + ", ".join(f"{v:.2f} at {x:.4g}" for x, v in zip(line.x, line.value, strict=True))
        for line in lines
    )
    figure = draw(lines, chance=chance, axis=axis, legend=legend, title=title)
    return Panel(figure, f"Balanced accuracy against {axis}. {each}.")


def _caption(
    found: xr.Dataset, of: xr.Dataset, setting: str, others: list[str], classifier: str
) -> str:
    by = f", by {setting_name(others[0])}" if others else ""
    held = held_text(at_best(of, others[1:]), others[1:])
    return (
        f"Balanced accuracy against {setting_name(setting)}{by}{held}, {classifier}, with "
        f"{percent(float(found.attrs['confidence']))} intervals; "
        f"{count_noun(int(found.attrs['n_subjects']), 'subject')}, mean of "
        f"{count_noun(int(found.attrs['seeds']), 'implantation')}."
    )


def draw(
    curves: Sequence[SettingCurve],
    *,
    chance: float,
    axis: str,
    legend: str = "",
    title: str = "",
    target: float | None = None,
) -> Figure:
    """Draw balanced accuracy against a setting named ``axis``, with intervals.

    ``legend`` is the title of the legend; chance and ``target`` are dashed lines.
    """
    columns = 2 if max(len(curve.label) for curve in curves) < 20 else 1
    rows = -(-len(curves) // columns) if len(curves) > 1 else 0
    with theme():
        figure, axes = single_axes(2.7 + 0.17 * (rows + bool(legend)))
        draw_curves(axes, curves, chance=chance, axis=axis, title=title)
        if target is not None:
            accuracy_level(axes, target, "target")
        if rows:
            figure.legend(loc="outside lower center", ncols=columns, title=legend or None)
    return figure


def draw_curves(
    axes: Axes, curves: Sequence[SettingCurve], *, chance: float, axis: str, title: str = ""
) -> None:
    """Draw balanced accuracy against a setting into axes; see :func:`draw`."""
    for curve in curves:
        look = curve.look
        axes.fill_between(
            curve.x, curve.low, curve.high, color=look.colour, alpha=0.16, linewidth=0
        )
        axes.plot(
            curve.x,
            curve.value,
            color=look.colour,
            linestyle=look.dash,
            marker=look.marker if len(curve.x) <= _MARKED else None,
            markersize=4.5,
            label=curve.label,
            clip_on=False,
        )
    _finish(axes, np.concatenate([curve.x for curve in curves]), axis, title)
    accuracy_level(axes, chance, "chance")


def _finish(axes: Axes, x: np.ndarray, axis: str, title: str) -> None:
    axes.set(ylim=(0, 1), xlabel=axis, ylabel="balanced accuracy")
    ticks = np.unique(x)
    if ticks[0] > 0 and ticks[-1] / ticks[0] >= _DECADES:
        make_logarithmic(axes, "x", ticks[0] / 1.05, ticks[-1] * 1.05)
    if len(ticks) <= 7:
        axes.set_xticks(ticks, [f"{tick:.4g}" for tick in ticks])
        axes.minorticks_off()
    faint_grid(axes, "y")
    axes.set_title(title, loc="left")
