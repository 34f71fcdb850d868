"""Which units, synapses and stimuli a probe chooses."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.probes import cat
from tests.probes.rat import SIZES, rat, stream
from tests.probes.test_implant import of_layer, recorded
from virtuallab.probes import Probe
from virtuallab.probes.sampling import sample_indices


def test_a_selection_of_the_active_finds_who_responds_when_recording_begins() -> None:
    tissue = rat()
    responses = {layer: np.array(seen) for layer, seen in tissue.responses.items()}
    responses["first"][2] = 0
    responses["first"][2, :, [1, 4, 6]] = 1.0
    awake = replace(tissue, responses=responses)
    probe = Probe(units_per_layer=3, visits=(2, 5), selection="active")
    for seed in range(20):
        implant = probe.implant(awake, stream(seed))
        assert implant.selection.units["first"].index.tolist() == [1, 4, 6]
    elsewhere = replace(probe, visits=(0, 5))
    others = {
        tuple(elsewhere.implant(awake, stream(seed)).selection.units["first"].index)
        for seed in range(20)
    }
    assert len(others) > 1


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 24), st.integers(1, 188), st.integers(0, 2**32))
def test_no_unit_and_no_synapse_is_recorded_twice(units, synapses, seed):
    found = recorded(Probe(units=units, synapses=synapses), seed)
    assert found.sizes["unit"] == units
    assert found.sizes["synapse"] == synapses
    for layer in SIZES:
        for index in ("unit_index", "synapse_index"):
            chosen = of_layer(found, index, layer).tolist()
            assert len(set(chosen)) == len(chosen)


def test_the_electrodes_stay_where_they_are_when_the_session_changes():
    whole = recorded(Probe(units_per_layer=3))
    short = recorded(Probe(units_per_layer=3, visits=2, stimuli=4, observables=("activity",)))
    fewer = recorded(Probe(units_per_layer=3, layers=("second",)))
    np.testing.assert_array_equal(whole["unit_index"], short["unit_index"])
    np.testing.assert_array_equal(of_layer(whole, "unit_index", "second"), fewer["unit_index"])


def test_streams_of_devices_leave_those_of_other_probes_as_they_are():
    found = recorded(Probe(units_per_layer=3, observables=("activity",)), 5)
    for_units = stream(5).spawn(6)[1].spawn(len(SIZES))
    for (layer, size), generator in zip(SIZES.items(), for_units, strict=True):
        expected = sample_indices(size, 3, generator)
        np.testing.assert_array_equal(of_layer(found, "unit_index", layer), expected)


def test_a_selection_of_the_active_prefers_active_neurons_within_reach():
    quiet = cat.recorded(Probe(device="utah_array", units=80, turnover=0.0))
    active = cat.recorded(Probe(device="utah_array", units=80, turnover=0.0, selection="active"))
    assert active["unit_index"].values.mean() > 1.1 * quiet["unit_index"].values.mean()
