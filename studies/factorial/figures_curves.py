"""Figures of accuracy over a setting: visits, recorded units, or number of training kinds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import seaborn as sns
import xarray as xr
from matplotlib.figure import Figure

from studies.factorial.carry_over import Point
from studies.factorial.figures_statistics import WIDTH
from studies.probe_designs import WINDOWS, line
from virtuallab.reporting.figures.common.axes import legend_columns, legend_entries
from virtuallab.reporting.figures.designs.setting_curves import SettingCurve, draw_curves
from virtuallab.reporting.style import INK, MARKERS, Look, pretty, setting_name, theme
from virtuallab.vocabulary import ACTIVITY, WEIGHTS

SNR: Final = "noise.snr"
_AXES: Final = {ACTIVITY: "units", WEIGHTS: "synapses"}
_PLAIN: Final = Look("#0173b2", "solid", "o")
_CENTRED: Final = Look("#de8f05", (0, (5, 2)), "s")


@dataclass(frozen=True)
class CurvePanel:
    """Curves of one panel.

    Parameters
    ----------
    title, axis : str
        Title, and name of the horizontal axis.
    curves : sequence of SettingCurve
    """

    title: str
    axis: str
    curves: Sequence[SettingCurve]


def visits_figure(found: xr.Dataset) -> Figure:
    """Accuracy over the number of visits, spread over learning and in windows of it.

    Parameters
    ----------
    found : xr.Dataset
        As :func:`virtuallab.compare` returns it, with the designs ``sparse``, ``early``, ``middle``
        and ``late``, which vary in ``visits``, decoded by a kernel SVM.
    """
    panels = [
        CurvePanel(
            pretty(observable),
            setting_name("visits"),
            [line(found, name, observable, "visits", *look) for name, look in WINDOWS.items()],
        )
        for observable in _AXES
    ]
    return draw_panels(panels, chance=float(found.attrs["chance"]))


def units_figure(found: xr.Dataset) -> Figure:
    """Accuracy over the number of recorded units, or synapses, with a line for each noise level.

    Parameters
    ----------
    found : xr.Dataset
        As :func:`virtuallab.compare` returns it, with the designs ``activity`` and
        ``activity_noisy``, which vary in ``units``, and ``weights`` and ``weights_noisy``, which
        vary in ``synapses``; the noisy ones may also vary in ``noise.snr``. Decoded by a kernel
        SVM.
    """
    panels = [
        CurvePanel(pretty(observable), setting_name(axis), _by_noise(found, observable, axis))
        for observable, axis in _AXES.items()
    ]
    return draw_panels(panels, chance=float(found.attrs["chance"]), legend=setting_name(SNR))


def _by_noise(found: xr.Dataset, observable: str, axis: str) -> list[SettingCurve]:
    """Curve without noise, and one of each signal-to-noise ratio, the largest first."""
    noisy = f"{observable}_noisy"
    without = Look(INK, "solid", MARKERS[0])
    curves = [line(found, observable, observable, axis, without, "no noise")]
    if SNR not in found.coords:  # the same in all noisy designs
        look = Look(sns.color_palette("crest", 1).as_hex()[0], "solid", MARKERS[1])
        return [*curves, line(found, noisy, observable, axis, look, "with noise")]
    ratios = found[SNR].values
    there = ratios[found["design_name"].values == noisy]
    levels = np.unique(ratios[np.isfinite(ratios)])[::-1]
    colours = sns.color_palette("crest", len(levels)).as_hex()
    for ratio, colour, marker in zip(levels, colours, MARKERS[1:], strict=False):
        if ratio in there:
            look, label = Look(colour, "solid", marker), f"{ratio:.4g}"
            curves.append(line(found, noisy, observable, axis, look, label, **{SNR: ratio}))
    return curves


def numbers_figure(points: Mapping[tuple[str, bool], Sequence[Point]], *, chance: float) -> Figure:
    """Accuracy on kinds not in training over the number of training kinds.

    Lines are means over draws of the kinds, bands one standard deviation to either side.

    Parameters
    ----------
    points : mapping from (observable, equal) to sequence of Point
        As :func:`studies.factorial.carry_over.curves` returns them.
    chance : float
    """
    panels = []
    for (observable, equal), found in points.items():
        how = "the same number of subjects" if equal else "all subjects of each kind"
        curves = [
            _over_draws(found, "plain", "features as they are", _PLAIN),
            _over_draws(found, "centred", "relative to references", _CENTRED),
        ]
        panels.append(CurvePanel(f"{pretty(observable)}, {how}", "kinds in training", curves))
    return draw_panels(panels, chance=chance)


def _over_draws(points: Sequence[Point], name: str, label: str, look: Look) -> SettingCurve:
    numbers = sorted({point.kinds for point in points})
    of = [np.array([getattr(p, name) for p in points if p.kinds == n]) for n in numbers]
    mean = np.array([values.mean() for values in of])
    spread = np.array([values.std(ddof=1) for values in of])
    return SettingCurve(label, np.array(numbers), mean, mean - spread, mean + spread, look)


def draw_panels(panels: Sequence[CurvePanel], *, chance: float, legend: str = "") -> Figure:
    """Draw panels in two columns, with one legend, whose title is ``legend``."""
    rows = -(-len(panels) // 2)
    with theme():
        figure = Figure(figsize=(WIDTH, 0.75 + 2.3 * rows), layout="constrained")
        every = figure.subplots(rows, 2, sharey=True, squeeze=False)
        for axes, panel in zip(every.flat, panels, strict=False):
            draw_curves(axes, panel.curves, chance=chance, axis=panel.axis, title=panel.title)
        for axes in every.flat[len(panels) :]:
            axes.remove()
        for axes in every[:, 1]:
            axes.set_ylabel("")
        entries = legend_entries(every.flat)
        lines = -(-len(entries) // legend_columns(list(entries), WIDTH))
        figure.legend(
            entries.values(),
            entries.keys(),
            loc="outside lower center",
            ncols=-(-len(entries) // lines),
            title=legend or None,
        )
    return figure
