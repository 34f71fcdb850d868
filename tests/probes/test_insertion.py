"""Which units an inserted device finds."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial import cKDTree

from tests.probes.cat import MAPS, SIZES, SYNAPSES, recorded
from tests.probes.rat import stream
from virtuallab.probes import Probe, insertion
from virtuallab.probes.device import contact_positions, find_device
from virtuallab.probes.insertion import InsertedDevice
from virtuallab.probes.tissue_geometry import SIDE, SPACING
from virtuallab.registry import DEVICES

WITH_CONTACTS = sorted(name for name in DEVICES if find_device(name).units)


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
    assert shank.sizes["unit"] == 110
    assert (abs(shank["n_units"].values - 110 / 4) <= 2).all()
    short = recorded(Probe(device="neuropixels_2"))["n_units"].values
    assert short[0] < short[1]
    assert short[3] < short[2]
    flat = recorded(Probe(device="utah_array"))
    np.testing.assert_array_equal(flat["n_units"], [48, 48, 48, 48])
    one = recorded(Probe(device="utah_array", layers=("conv3",)))
    np.testing.assert_array_equal(one["n_units"], [48])


def test_without_a_radius_units_are_those_nearest_the_contacts():
    near = recorded(Probe(device="tetrode", turnover=1e-9, radius="none", layers=("conv1",)))
    spread = np.ptp(near["unit_x"].values[0]), np.ptp(near["unit_y"].values[0])
    assert max(spread) <= SIDE / 8, "five of the six channels of one place"


@pytest.mark.parametrize("name", WITH_CONTACTS)
@pytest.mark.parametrize("radius", [None, 120.0])
def test_no_neuron_beyond_the_pickup_radius_is_recorded(name, radius, monkeypatch):
    monkeypatch.setattr(insertion, "_place", lambda device, generator: np.array([2000.0, 2000.0]))
    probe = Probe(device=name, radius=radius, turnover=0.0, drift=0.0)
    found, device = recorded(probe), find_device(name)
    where = np.column_stack([found[f"unit_{axis}"].values for axis in ("x", "y", "depth")])
    contacts = contact_positions(device)
    for place, layer in enumerate(MAPS):
        mine = where[found["unit_layer"].values == layer]
        if device.placement == "through":
            moved = np.column_stack([contacts[:, 0], 0 * contacts[:, 0], 2000 - contacts[:, 1]])
        else:
            moved = np.insert(contacts, 2, (place + 0.5) * 1000, axis=1)
        distance, _ = cKDTree(moved + np.array([2000, 2000, 0])).query(mine)
        assert distance.max() <= (radius or device.radius) + 1e-2
        if len(mine) > 4:
            assert distance.max() > 0.4 * (radius or device.radius), "not the nearest alone"
        assert ((mine[:, 2] >= 1000 * place) & (mine[:, 2] <= 1000 * (place + 1))).all()


def test_more_units_than_the_yield_can_be_asked_for_up_to_one_a_contact():
    every = recorded(Probe(device="neuropixels_1", units=384))
    assert every.sizes["unit"] == 384
    assert dict(Probe(device="neuropixels_1", units=385).check(SIZES, SYNAPSES, 3, 5)) != {}


def test_where_a_device_is_inserted_differs_between_subjects():
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


def test_neurons_within_reach_differ_in_their_units_where_the_network_has_enough():
    found = recorded(Probe(device="utah_array", turnover=0.0))
    for layer in MAPS:
        mine = found["unit_index"].values[0 if found["unit_index"].ndim == 2 else slice(None)]
        mine = mine[found["unit_layer"].values == layer]
        assert len(set(mine)) == 48, "a needle prefers a neuron unlike those recorded already"


def test_every_device_reaches_what_it_finds_at_each_visit_and_takes_no_neuron_twice():
    shifts = np.array([[0.0], [30.0], [-400.0]])
    device = InsertedDevice(find_device("utah_array"), 50.0, MAPS, list(MAPS), shifts, 7, stream(3))
    for visit in range(3):
        neurons = device.find("conv2", visit, 192, stream(visit))
        assert device.reaches("conv2", visit, neurons).all()
        assert len(set(neurons)) == 192
        others = device.find("conv2", visit, 96, stream(visit), neurons)
        assert not set(others) & set(neurons)
    first = device.find("conv2", 0, 96, stream(0))
    assert not device.reaches("conv2", 2, first).any(), "a shift of 400 um leaves none in reach"


def test_a_neighbour_is_the_nearest_neuron_of_another_unit_within_reach():
    device = InsertedDevice(
        find_device("utah_array"), 50.0, MAPS, list(MAPS), np.zeros((1, 1)), 7, stream(3)
    )
    neurons = device.find("conv2", 0, 48, stream(1))
    near = device.neighbours("conv2", 0, neurons)
    assert device.reaches("conv2", 0, near).all()
    assert (device.units("conv2", near) != device.units("conv2", neurons)).all()
    away = device.positions("conv2", near) - device.positions("conv2", neurons)
    distance = np.linalg.norm(away, axis=1)
    assert distance.max() < 2 * SPACING
    assert np.median(distance) <= SPACING + 1e-9, "most are next to the recorded neuron"


def test_fewer_units_are_some_of_those_that_the_device_finds():
    whole = recorded(Probe(device="neuropixels_2"))
    part = recorded(Probe(device="neuropixels_2", units=40))
    assert part.sizes["unit"] == 40
    for layer in MAPS:
        mine = part["unit_index"].values[0][part["unit_layer"].values == layer]
        all_of_it = whole["unit_index"].values[0][whole["unit_layer"].values == layer]
        assert set(mine) <= set(all_of_it)
