"""Which units an inserted device finds."""

from __future__ import annotations

import numpy as np
import pytest

from tests.probes.cat import MAPS, SIZES, SYNAPSES, recorded
from virtuallab.probes import Probe
from virtuallab.probes.tissue_geometry import SIDE
from virtuallab.registry import DEVICES


@pytest.mark.parametrize("name", sorted(DEVICES))
def test_how_many_units_a_device_finds_depends_on_the_layers_alone(name):
    probe = Probe(device=name)
    counts = (
        {tuple(recorded(probe, seed)["n_units"].values) for seed in range(4)}
        if (probe.resolved.measures_responses)
        else {()}
    )
    assert len(counts) == 1
    values = probe.resolved.n_values(SIZES, SYNAPSES, 3, 5)
    found = recorded(probe)
    assert values == sum(found[v].size for v in ("activity", "weights") if v in found)


def test_a_shank_goes_through_all_layers_and_a_flat_array_lies_in_each():
    shank = recorded(Probe(device="neuropixels_1"))
    assert shank.sizes["unit"] == 384
    assert (abs(shank["n_units"].values - 96) <= 4).all()
    short = recorded(Probe(device="neuropixels_2"))["n_units"].values
    assert short[0] < short[1]
    assert short[3] < short[2]
    flat = recorded(Probe(device="utah_array"))
    np.testing.assert_array_equal(flat["n_units"], [96, 96, 96, 96])
    one = recorded(Probe(device="utah_array", layers=("conv3",)))
    np.testing.assert_array_equal(one["n_units"], [96])


def test_units_found_are_those_near_the_contacts():
    near = recorded(Probe(device="tetrode", turnover=1e-9, layers=("conv1",)))
    spread = np.ptp(near["unit_x"].values[0]), np.ptp(near["unit_y"].values[0])
    assert max(spread) <= SIDE / 8, "five of the six channels of one place"
    everywhere = {
        (float(d["unit_x"].values[0, 0]), float(d["unit_y"].values[0, 0]))
        for d in (recorded(Probe(device="tetrode", layers=("conv1",)), seed) for seed in range(20))
    }
    assert len(everywhere) > 10, "each subject is implanted elsewhere"


def test_more_insertions_find_more_units_at_other_places():
    one = recorded(Probe(device="tetrode"))
    four = recorded(Probe(device="tetrode", insertions=4))
    assert four.sizes["unit"] == 4 * one.sizes["unit"]
    mine = four["unit_index"].values[0][four["unit_layer"].values == "conv1"]
    assert len(set(mine)) == 20


def test_fewer_units_are_some_of_those_that_the_device_finds():
    whole = recorded(Probe(device="neuropixels_2"))
    part = recorded(Probe(device="neuropixels_2", units=40))
    assert part.sizes["unit"] == 40
    for layer in MAPS:
        mine = part["unit_index"].values[0][part["unit_layer"].values == layer]
        all_of_it = whole["unit_index"].values[0][whole["unit_layer"].values == layer]
        assert set(mine) <= set(all_of_it)
