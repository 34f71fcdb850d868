"""Whether the negative controls stay at chance, where they belong."""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from virtuallab.report.figures.accuracy import finish, points
from virtuallab.report.style import CONTROL_GREY, INK, PANEL_WIDTH, pretty, theme
from virtuallab.vocabulary import CONTROL, OBSERVABLE, PROBE

_ROW = 0.11  # inches for each control of a row, and as much between rows
_MARKERS = ("o", "s", "^", "D")
_FAILED = "#c0392b"


def draw(
    accuracy: xr.DataArray,
    control_accuracy: xr.DataArray,
    control_interval: xr.DataArray,
    *,
    chance: float,
    failed: xr.DataArray | None = None,
    title: str = "",
) -> Figure:
    """Draw each control with its interval, beside the accuracy that it belongs to.

    A control that failed is red.

    Parameters
    ----------
    accuracy : xr.DataArray
        Balanced accuracy, dims (probe, observable).
    control_accuracy : xr.DataArray
        Dims (probe, observable, control).
    control_interval : xr.DataArray
        Dims (probe, observable, control, bound).
    chance : float
    failed : xr.DataArray, optional
        Dims (probe, observable, control). Those whose whole interval lies above chance, if it is
        not given.
    title : str
    """
    failed = control_interval.sel(bound="low") > chance if failed is None else failed
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
        height = 1.35 + _ROW * (len(controls) + 1) * len(pairs)
        figure = Figure(figsize=(PANEL_WIDTH, height), layout="constrained")
        axes = figure.subplots()
        axes.plot(
            accuracy.sel(at).to_numpy(),
            rows,
            linestyle="none",
            marker="|",
            markersize=9,
            markeredgewidth=2,
            color=INK,
            label="accuracy",
            clip_on=False,
        )
        for place, control in enumerate(controls):
            values = control_accuracy.sel({**at, CONTROL: control})
            interval = control_interval.sel({**at, CONTROL: control})
            fails = failed.sel({**at, CONTROL: control}).to_numpy()
            offset = (place - (len(controls) - 1) / 2) / (len(controls) + 0.8)
            marker = _MARKERS[place % len(_MARKERS)]
            for wanted, colour, label in (
                (~fails, CONTROL_GREY, pretty(control)),
                (fails, _FAILED, f"{pretty(control)}, above chance"),
            ):
                if wanted.any():
                    points(
                        axes,
                        values.isel(row=wanted),
                        interval.isel(row=wanted),
                        rows[wanted] + offset,
                        colour=colour,
                        marker=marker,
                        label=label,
                    )
        axes.set_yticks(rows, [f"{probe}, {pretty(seen)}" for probe, seen in pairs])
        finish(axes, len(pairs), chance)
        axes.set_title(title, loc="left", pad=14 if title else None)
        figure.legend(loc="outside lower center", ncols=2, handletextpad=0.3)
    return figure
