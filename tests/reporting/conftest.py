from __future__ import annotations

import pytest
import xarray as xr

from tests.reporting.designs import comparison_of_designs
from tests.reporting.synthetic import experiment
from virtuallab.reporting import experiment_page


@pytest.fixture(scope="session")
def tree() -> xr.DataTree:
    return experiment(held_out=True, judged=True)


@pytest.fixture(scope="session")
def page(tree: xr.DataTree) -> str:
    return experiment_page(tree)


@pytest.fixture(scope="session")
def comparison() -> xr.Dataset:
    return comparison_of_designs()
