"""Recordings as they are work with interactive pictures."""

from __future__ import annotations

import warnings

import pytest
import xarray as xr

from tests.accessor.recordings import recording as made_up

VARIABLES = sorted(str(name) for name in made_up().data_vars)
# Each of these libraries warns of what it does itself, or another of them does.
OF_OTHERS = ("hvplot", "holoviews", "panel", "param", "bokeh", "pandas")


@pytest.fixture(scope="module")
def renderer() -> object:
    """Whatever draws what hvplot makes; it is imported with its own warnings aside."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        holoviews = pytest.importorskip("holoviews")
        pytest.importorskip("hvplot.xarray")
        holoviews.extension("bokeh")
    return holoviews


@pytest.mark.parametrize("who", ["many", "one"])
@pytest.mark.parametrize("name", VARIABLES)
def test_hvplot_draws_every_variable(renderer: object, name: str, who: str) -> None:
    recording = made_up() if who == "many" else made_up().isel(subject=0)
    values: xr.DataArray = recording[name]
    with warnings.catch_warnings():
        for module in OF_OTHERS:
            warnings.filterwarnings("ignore", module=rf"{module}\b")
        renderer.render(values.hvplot.line(x=values.dims[-1]))
        renderer.render(values.hvplot.hist())


def test_hvplot_draws_responses_as_images(renderer: object) -> None:
    with warnings.catch_warnings():
        for module in OF_OTHERS:
            warnings.filterwarnings("ignore", module=rf"{module}\b")
        renderer.render(made_up()["activity"].hvplot.image(x="unit", y="stimulus"))


def test_hvplot_draws_what_the_lab_measures(renderer: object) -> None:
    lab = made_up().isel(subject=0).lab
    with warnings.catch_warnings():
        for module in OF_OTHERS:
            warnings.filterwarnings("ignore", module=rf"{module}\b")
        renderer.render(lab.participation_ratio().hvplot.line(x="visit", by="layer"))
        renderer.render(lab.rdm_similarity().hvplot.image(x="visit", y="visit_2"))
