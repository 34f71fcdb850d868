"""Where devices find units, and what they do to the signal."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from tests.probes.cat import SIZES, SYNAPSES, recorded
from virtuallab.probes import Probe
from virtuallab.probes.device import find_device
from virtuallab.registry import DEVICES


def complaints(probe: Probe) -> dict[str, str]:
    return dict(probe.check(SIZES, SYNAPSES, 3, 5))


@pytest.mark.parametrize("name", sorted(DEVICES))
def test_every_device_records(name):
    found = recorded(Probe(device=name))
    assert complaints(Probe(device=name)) == {}
    seen = "weights" if "weights" in found else "activity"
    assert found[seen].size
    assert np.isfinite(found[seen]).all()
    again = recorded(Probe(device=name))
    xr.testing.assert_identical(found, again)


@pytest.mark.parametrize("name", sorted(DEVICES))
def test_a_device_says_where_its_numbers_are_from(name):
    assert "References" in (DEVICES[name].__doc__ or "")


@pytest.mark.parametrize("name", sorted(name for name in DEVICES if DEVICES[name].units))
def test_a_device_states_the_range_of_its_yield_or_radius(name):
    words = " ".join((DEVICES[name].__doc__ or "").split())
    assert "radius" in words or "within" in words
    assert "order of magnitude" in words or "on average" in words


@pytest.mark.parametrize(
    ("name", "lowest", "highest"),
    [("neuropixels_1", 60, 200), ("neuropixels_2", 60, 200), ("utah_array", 29, 77)],
)
def test_yields_are_within_the_published_ranges(name, lowest, highest):
    assert lowest <= find_device(name).units <= highest


def test_the_published_numbers_of_contacts():
    counts = {
        name: len(find_device(name).geometry().contact_positions)
        for name in ("patch_clamp", "tetrode", "utah_array", "neuropixels_1", "neuropixels_2")
    }
    assert counts == {
        "patch_clamp": 1,
        "tetrode": 4,
        "utah_array": 96,
        "neuropixels_1": 384,
        "neuropixels_2": 384,
    }
