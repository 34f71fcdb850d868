from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import matplotlib.pyplot as plt
import pytest
import xarray as xr

import virtuallab as vl
import virtuallab.accessor  # what registers recording.lab
from tests.accessor.recordings import recording as made_up


@pytest.fixture
def recording() -> xr.Dataset:
    return made_up()


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("explore") / "quickstart.zarr"
    nodes = {
        "/": xr.Dataset(attrs={"virtuallab_schema": 1}),
        "/recordings/units_200/knet4": made_up().chunk({"subject": 1}),
    }
    tree = xr.DataTree.from_dict(nodes)
    for node in tree.subtree:  # words of variable length, as stores have them
        words = {n: v.astype("T") for n, v in node.to_dataset().variables.items() if v.dtype == "O"}
        node.dataset = node.to_dataset().assign_coords(words)
    tree.to_zarr(path, consolidated=False)
    return path


@pytest.fixture(params=["in memory", "from a store", "by plain xarray", "in dask arrays"])
def stored(request: pytest.FixtureRequest, store: Path) -> xr.Dataset:
    """One recording, however it was opened."""
    where = "recordings/units_200/knet4"
    if request.param == "in memory":
        return made_up()
    if request.param == "by plain xarray":
        return xr.open_datatree(store, engine="zarr", consolidated=False)[where].to_dataset()
    opened = vl.open(store)[where].to_dataset()
    return opened.chunk({"subject": 2}) if request.param == "in dask arrays" else opened


@pytest.fixture(autouse=True)
def _closes_its_figures() -> Iterator[None]:
    yield
    plt.close("all")
