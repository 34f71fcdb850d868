"""Ticks of logarithmic axes are plain numbers that do not lie over one another."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np
import pytest
import xarray as xr
from matplotlib.figure import Figure

from virtuallab.decoder.power_result import DesignResult
from virtuallab.reporting.figures import learning_curves
from virtuallab.reporting.figures.common import layer_grid
from virtuallab.reporting.figures.designs import cost_front, setting_curves
from virtuallab.reporting.figures.designs.setting_curves import SettingCurve
from virtuallab.reporting.render import inline_svg
from virtuallab.reporting.style import looks, observable_look


def costs(most: float) -> Figure:
    tried = [
        DesignResult({"units": 1}, cost, 0.5, 0.4, 0.6)
        for cost in np.geomspace(2.0, 2.0 * most, 30)
    ]
    return cost_front.draw(tried, tried[:3], target=0.8, chance=0.25)


def settings(most: float) -> Figure:
    x = np.geomspace(1.5, 1.5 * most, 30)
    half = np.full(30, 0.5)
    curve = SettingCurve("activity", x, half, half - 0.1, half + 0.1, observable_look("activity"))
    return setting_curves.draw([curve], chance=0.25, axis="units")


def losses(most: float) -> Figure:
    values = np.stack([np.geomspace(most, 1.0, 4), np.full(4, 1.0)]).astype(np.float32)
    coords = {"rule": ("subject", ["adam", "oja"]), "epoch": ("visit", np.arange(4.0))}
    return learning_curves.draw(
        xr.DataArray(values, coords, ("subject", "visit")), "validation loss (nat)"
    )


def ratios(most: float) -> Figure:
    values = np.stack([np.geomspace(most, 1.0, 4), np.full(4, 1.0)])
    coords = {"rule": ("subject", ["adam", "oja"]), "epoch": ("visit", np.arange(4.0))}
    of_layer = {"fc1": xr.DataArray(values, coords, ("subject", "visit"))}
    row = layer_grid.MeasureRow("ratio", layer_grid.RATIO, of_layer)
    return layer_grid.draw([row], rule_looks=looks(["adam", "oja"]))


@pytest.mark.parametrize("draw", [costs, settings, losses, ratios])
@pytest.mark.parametrize("most", [25.0, 3e3, 4e8])
def test_ticks_are_plain_and_apart(draw: Callable[[float], Figure], most: float) -> None:
    figure = draw(most)
    assert "$" not in inline_svg(figure, "name", "alt")
    for axes in figure.axes:
        for axis, along in ((axes.xaxis, "x"), (axes.yaxis, "y")):
            if axis.get_scale() != "log":
                continue
            labels = [tick for tick in axis.get_ticklabels() if tick.get_text()]
            assert 2 <= len(labels) <= 8
            boxes = sorted(
                getattr(label.get_window_extent(), f"interval{along}").tolist() for label in labels
            )
            gaps = [right[0] - left[1] for left, right in itertools.pairwise(boxes)]
            assert min(gaps) > 0, [label.get_text() for label in labels]
