from __future__ import annotations

import pytest
import xarray as xr

from tests.report.synthetic import experiment
from virtuallab.report import build


@pytest.fixture(scope="session")
def tree() -> xr.DataTree:
    return experiment(held_out=True, judged=True)


@pytest.fixture(scope="session")
def page(tree: xr.DataTree) -> str:
    return build(tree)
