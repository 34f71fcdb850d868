"""Where devices find units, and what they do to the signal."""

from __future__ import annotations

import json
from dataclasses import dataclass

import numpy as np
import probeinterface
import pytest
import xarray as xr

from tests.probe.rat import stream
from virtuallab.probe import Contacts, Noise, Probe, Spikes
from virtuallab.probe.device import contacts_json, device_of
from virtuallab.probe.noise.calibration import calibrated
from virtuallab.probe.tissue_geometry import DEPTH, SIDE, layer_at, neighbourhoods, positions
from virtuallab.registry import DEVICES
from virtuallab.vocabulary import OBSERVABLES

MAPS = {"conv1": (6, 8, 8), "conv2": (8, 8, 8), "conv3": (16, 4, 4), "fc": (120, 1, 1)}
SIZES = {layer: int(np.prod(shape)) for layer, shape in MAPS.items()}
SYNAPSES = dict.fromkeys(MAPS, 500)


@dataclass
class Cat:
    """A tissue with maps, in which each unit responds with its own index, more at each visit."""

    layers: tuple[str, ...] = tuple(MAPS)
    visits: int = 3

    @property
    def maps(self):
        return MAPS

    @property
    def responses(self):
        grown = np.arange(1, self.visits + 1)[:, None, None]
        return {
            n: (grown * np.broadcast_to(np.arange(size), (self.visits, 5, size))).astype(np.float32)
            for n, size in SIZES.items()
        }

    @property
    def weights(self):
        return {n: np.ones((self.visits, 500), np.float32) for n in MAPS}

    @property
    def inputs(self):
        return dict.fromkeys(MAPS, 10)

    def jacobian(self, layer, units):
        raise AssertionError("no device measures the activity change")


def recorded(probe: Probe, seed: int = 1) -> xr.Dataset:
    calibration = calibrated(probe, Cat(), stream(9))
    return probe.implant(Cat(), stream(seed)).record(Cat(), stream(2), calibration)


def complaints(probe: Probe) -> dict[str, str]:
    return dict(probe.check(SIZES, SYNAPSES, 3, 5))


def test_a_feature_map_lies_where_its_receptive_fields_do():
    where = positions((2, 3, 4), 1, 4).reshape(2, 3, 4, 3)
    np.testing.assert_allclose(where[0, 0, :, 0], SIDE * (np.arange(4) + 0.5) / 4)
    np.testing.assert_allclose(where[0, :, 0, 1], SIDE * (np.arange(3) + 0.5) / 3)
    assert (np.ptp(where[..., :2], axis=0) == 0).all(), "channels of a place lie in one column"
    assert (where[1, ..., 2] > where[0, ..., 2]).all()
    assert (layer_at(where[..., 2].ravel(), 4) == 1).all()


def test_a_dense_layer_fills_its_layer_evenly():
    where = positions((500, 1, 1), 3, 4)
    assert (layer_at(where[:, 2], 4) == 3).all()
    counts, _, _ = np.histogram2d(where[:, 0], where[:, 1], bins=4, range=[[0, SIDE]] * 2)
    assert counts.min() > 0.7 * 500 / 16


def test_depths_outside_the_tissue_are_in_no_layer():
    np.testing.assert_array_equal(layer_at(np.array([-1.0, 0.0, DEPTH]), 4), [-1, 0, -1])


def test_neighbourhoods_are_compact_and_do_not_overlap():
    patches = neighbourhoods((4, 8, 8), 16, 0, 3)
    assert patches.shape == (16, 16)
    assert len(np.unique(patches)) == 256
    where = positions((4, 8, 8), 0, 3)[patches][..., :2]
    inside = np.ptp(where, axis=1).max()
    assert inside <= SIDE / 2, "a patch is as wide as the whole map"


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
def test_how_many_units_a_device_finds_depends_on_the_layers_alone(name):
    probe = Probe(device=name)
    counts = (
        {tuple(recorded(probe, seed)["n_units"].values) for seed in range(4)}
        if (probe.sees_responses)
        else {()}
    )
    assert len(counts) == 1
    values = probe.values(SIZES, SYNAPSES, 3, 5)
    found = recorded(probe)
    assert values == sum(found[v].size for v in ("activity", "weights") if v in found)


@pytest.mark.parametrize("name", sorted(DEVICES))
def test_a_device_says_where_its_numbers_are_from(name):
    assert "References" in (DEVICES[name].__doc__ or "")


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


def test_a_device_is_the_default_and_what_a_protocol_says_wins():
    assert Probe(device="two_photon").in_effect.calcium is not None
    own = Probe(device="two_photon", noise=Noise(snr=3.0)).in_effect
    assert own.noise == Noise(snr=3.0)
    assert own.in_effect == own
    kept = Probe(device="neuropixels_1", turnover=0.0, noise=Noise()).in_effect
    assert kept.turnover == 0, "what is given is kept, also where it is nothing"
    assert Probe(device="two_photon", noise=Noise()).in_effect.noise == Noise()
    counted = Probe(device="two_photon", spikes=Spikes()).in_effect
    assert counted.calcium is None, "one way to read activity takes the place of another"
    more = Probe(device="paired_recordings", synapses=50).in_effect
    assert more.synapses_per_layer is None
    assert Probe().in_effect.observables == OBSERVABLES


def test_fewer_units_are_some_of_those_that_the_device_finds():
    whole = recorded(Probe(device="neuropixels_2"))
    part = recorded(Probe(device="neuropixels_2", units=40))
    assert part.sizes["unit"] == 40
    for layer in MAPS:
        mine = part["unit_index"].values[0][part["unit_layer"].values == layer]
        all_of_it = whole["unit_index"].values[0][whole["unit_layer"].values == layer]
        assert set(mine) <= set(all_of_it)


def test_contacts_of_ones_own_are_a_device():
    own = Contacts(contacts=((0.0, 0.0), (0.0, 1000.0), (0.0, 2000.0)))
    found = recorded(Probe(device=own, observables=("activity",)))
    # Centred at 2000 um of depth, at 1000, 2000 and 3000: the top of layers 1, 2 and 3.
    np.testing.assert_array_equal(found["n_units"], [0, 1, 1, 1])


def test_geometry_goes_out_as_probeinterface_reads_it(tmp_path):
    text = contacts_json("neuropixels_1")
    assert text is not None
    file = tmp_path / "probe.json"
    file.write_text(text)
    [probe] = probeinterface.read_probeinterface(file).probes
    assert probe.get_contact_count() == 384
    assert json.loads(text)["specification"] == "probeinterface"
    rows = np.unique(probe.contact_positions[:, 1])
    assert len(rows) == 192
    np.testing.assert_allclose(np.diff(rows), 20)
    assert contacts_json("fmri") is None


def test_the_published_numbers_of_contacts():
    counts = {
        name: len(device_of(name).geometry().contact_positions)
        for name in ("patch_clamp", "tetrode", "utah_array", "neuropixels_1", "neuropixels_2")
    }
    assert counts == {
        "patch_clamp": 1,
        "tetrode": 4,
        "utah_array": 96,
        "neuropixels_1": 384,
        "neuropixels_2": 384,
    }


IMPOSSIBLE = {
    "an unknown device": (Probe(device="utah_aray"), "device", "Did you mean 'utah_array'"),
    "more units than it finds": (
        Probe(device="tetrode", units=30),
        "units",
        "30 units asked of 20",
    ),
    "insertions of nothing": (Probe(insertions=2), "insertions", "no device"),
    "pools of contacts": (Probe(device="utah_array", pool=2), "pool", "each contact"),
    "contacts that hear weights": (
        Probe(device="utah_array", observables=("weights",), spikes=None),
        "device",
        "hears activity",
    ),
    "contacts in no layer": (
        Probe(
            device=Contacts(contacts=((0.0, 0.0),)), layers=("conv1",), observables=("activity",)
        ),
        "device",
        "not one unit",
    ),
    "too large a pool": (Probe(pool=1000, observables=("activity",)), "pool", "not one unit"),
    "turnover of voxels": (
        Probe(pool=2, turnover=0.5, observables=("activity",)),
        "turnover",
        "do not lose single",
    ),
    "turnover without others": (
        Probe(turnover=1.0, observables=("activity",)),
        "turnover",
        "none is left to find",
    ),
    "turnover of an activity change": (
        Probe(units=20, turnover=0.5),
        "turnover",
        "single units followed",
    ),
    "an activity change of voxels": (Probe(pool=2), "pool", "single units followed"),
    "a negative turnover": (Probe(units=20, turnover=-0.5), "turnover", "between 0 and 1"),
}


@pytest.mark.parametrize("case", IMPOSSIBLE)
def test_an_impossible_device_is_told(case):
    probe, field, words = IMPOSSIBLE[case]
    found = complaints(probe)
    assert words in found.get(field, ""), found
