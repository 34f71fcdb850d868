"""Figure "Controls": accuracy of the controls that must be at chance."""

from __future__ import annotations

from typing import Final

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from virtuallab.reporting.figures.common.axes import accuracy_rows, points, set_title, single_axes
from virtuallab.reporting.figures.common.captioned import CaptionedFigure, Panel
from virtuallab.reporting.results.decoding import AnalysisResult
from virtuallab.reporting.style import CONTROL_GREY, INK, MARKERS, pretty, theme
from virtuallab.text import listed, percent
from virtuallab.vocabulary import CLASSIFIER, CONTROL, OBSERVABLE, PROBE

_ROW: Final = 0.11  # inches for each control of a row
_FAILED: Final = "#c0392b"


def controls_figure(analysis: AnalysisResult) -> CaptionedFigure | None:
    """Controls that must be at chance, with a panel for each classifier; None without any."""
    found = {control.name for control in analysis.chance_controls}
    names = [name for name in analysis.control_names if name in found]
    if not names:
        return None
    verdict = analysis.dataset
    panels = []
    for classifier, (value, _) in analysis.by_classifier().items():
        at = {CLASSIFIER: classifier, OBSERVABLE: value[OBSERVABLE], CONTROL: names}
        figure = draw(
            value,
            verdict["control_accuracy"].sel(at),
            verdict["control_interval"].sel(at),
            chance=analysis.chance,
            failed=verdict["control_passed"].sel(at) == 0,
            title=pretty(classifier),
        )
        members = [r for r in analysis.results if r.classifier == classifier]
        failed = sum(len(result.leaks) for result in members)
        count = sum(result.controls[name].evaluated for result in members for name in names)
        panels.append(
            Panel(figure, f"Controls of {pretty(classifier)}: {failed} of {count} failed.")
        )
    caption = (
        f"Balanced accuracy of controls that must be at chance ({listed(map(pretty, names))}), "
        f"with {percent(analysis.confidence)} intervals{analysis.counted}. Dashed line: chance. "
        "Red: failed control. Bar: accuracy of the recording."
    )
    return CaptionedFigure(tuple(panels), caption)


def draw(
    accuracy: xr.DataArray,
    control_accuracy: xr.DataArray,
    control_interval: xr.DataArray,
    *,
    failed: xr.DataArray,
    chance: float,
    title: str = "",
) -> Figure:
    """Draw the accuracy of each control with its interval, and the accuracy of the recording.

    Controls have different markers; failed controls are red. Arrays have the dimensions (probe,
    observable), those of controls also ``control``, the interval also ``bound``.
    """
    pairs = [
        (str(probe), str(observable))
        for probe in accuracy[PROBE].to_numpy()
        for observable in accuracy[OBSERVABLE].to_numpy()
        if np.isfinite(float(accuracy.sel({PROBE: probe, OBSERVABLE: observable})))
    ]
    at = {
        PROBE: xr.DataArray([probe for probe, _ in pairs], dims="row"),
        OBSERVABLE: xr.DataArray([observable for _, observable in pairs], dims="row"),
    }
    controls = [str(control) for control in control_accuracy[CONTROL].to_numpy()]
    rows = np.arange(len(pairs), dtype=float)
    with theme():
        figure, axes = single_axes(1.35 + _ROW * (len(controls) + 1) * len(pairs))
        axes.plot(
            accuracy.sel(at).to_numpy(),
            rows,
            linestyle="none",
            marker="|",
            markersize=9,
            markeredgewidth=2,
            color=INK,
            label="recording",
            clip_on=False,
        )
        for place, control in enumerate(controls):
            values = control_accuracy.sel({**at, CONTROL: control})
            interval = control_interval.sel({**at, CONTROL: control}).clip(0, 1)
            fails = failed.sel({**at, CONTROL: control}).to_numpy()
            offset = (place - (len(controls) - 1) / 2) / (len(controls) + 0.8)
            for wanted, colour, label in (
                (~fails, CONTROL_GREY, pretty(control)),
                (fails, _FAILED, f"{pretty(control)}, failed"),
            ):
                if wanted.any():
                    points(
                        axes,
                        values.isel(row=wanted),
                        interval.isel(row=wanted),
                        rows[wanted] + offset,
                        colour=colour,
                        marker=MARKERS[place % len(MARKERS)],
                        label=label,
                        filled=place < len(MARKERS),  # further controls repeat markers, hollow
                    )
        accuracy_rows(axes, [f"{probe}, {pretty(seen)}" for probe, seen in pairs], chance)
        set_title(axes, title)
        figure.legend(loc="outside lower center", ncols=2, handletextpad=0.3)
    return figure
