"""Firing rates have the moments of their equation."""

from __future__ import annotations

import numpy as np
import pytest

from tests.probes.cat import Cat
from tests.probes.rat import N_STIMULI, SIZES, rat, set_on_rats, stream
from virtuallab.probes import Probe
from virtuallab.probes.readouts.spikes import Spikes


def constant(response: float, count: int = 40_000) -> np.ndarray:
    return np.full((1, count, 1), response, dtype=np.float32)


@pytest.mark.parametrize("response", [0.05, 1.0, 30.0])
@pytest.mark.parametrize("missed", [0.0, 0.4])
def test_mean_and_variance_are_those_of_a_thinned_poisson_count(response, missed):
    spikes = Spikes(rate=20.0, ceiling=1e9, window=0.25, trials=3, missed=missed)
    seen = constant(response)
    found = spikes.count(seen, seen, 1.0, stream(1)).astype(np.float64)
    mean = 20 * response * (1 - missed)
    variance = mean / (0.25 * 3)
    # 40,000 counts: five standard errors of their mean, and of their variance (sparse counts have
    # a fourth moment of 3 + 1/mean).
    fourth = 2 + 1 / (mean * 0.75)
    assert abs(found.mean() - mean) < 5 * np.sqrt(variance / 40_000)
    assert abs(found.var() / variance - 1) < 5 * np.sqrt(fourth / 40_000)


def test_more_trials_give_the_responses_themselves():
    tissue = rat()
    seen = tissue.responses["first"]
    found = Spikes(trials=10**9).count(seen, seen, 1.0, stream())
    np.testing.assert_allclose(found, 10 * seen, atol=1e-2)


def test_counts_are_whole_numbers_of_spikes():
    seen = rat().responses["first"]
    spikes = Spikes(rate=8.0, window=0.5, trials=2)
    counts = spikes.count(seen, seen, 1.0, stream())  # in a second of all trials
    np.testing.assert_allclose(counts, np.round(counts), atol=1e-4)
    assert counts.max() > 3


def test_suppression_gives_no_spikes():
    seen = constant(-2.0, 100)
    np.testing.assert_array_equal(Spikes(ceiling=1e40).count(seen, seen, 1.0, stream()), 0)


def test_contamination_mixes_in_one_other_neuron_of_the_layer_at_all_visits():
    tissue = rat()
    layer = tissue.responses["first"]
    own = layer[..., :1]
    found = Spikes(trials=10**9, contamination=0.3).count(own, layer, 1.0, stream(4)) / 10
    rest = (found - 0.7 * own)[..., 0] / 0.3
    misfits = [np.abs(rest - layer[..., other]).max() for other in range(layer.shape[-1])]
    assert min(misfits) < 1e-2 < np.sort(misfits)[1]


def test_contamination_is_that_of_the_neighbour_where_units_have_places():
    layer = rat().responses["first"]
    spikes = Spikes(trials=10**9, contamination=0.3)
    found = spikes.count(layer[..., :1], layer, 1.0, stream(4), layer[..., 7:8]) / 10
    expected = np.maximum(0.7 * layer[..., :1] + 0.3 * layer[..., 7:8], 0)
    np.testing.assert_allclose(found, expected, atol=1e-2)


def test_a_device_contaminates_units_with_neighbours_in_the_tissue():
    probe = Probe(
        device="utah_array",
        layers=("conv1",),
        turnover=0.0,
        spikes=Spikes(trials=10**9, contamination=0.5, ceiling=1e12),
    )
    calibration = probe.calibrate(Cat(), stream(9))
    implant = probe.implant(Cat(), stream(1))
    found = implant.record(Cat(), stream(2), calibration)["activity"].values[0, 0]
    units = implant.selection.units["conv1"].index
    neighbours = implant.selection.neurons["conv1"].neighbours
    assert (neighbours % 64 == units % 64).mean() > 0.8, "mostly of the same place of the map"
    mixed = (units + neighbours) / 2  # each unit of this preparation responds with its index
    np.testing.assert_allclose(found / found.sum(), mixed / mixed.sum(), rtol=1e-3)


def test_what_is_not_finite_stays_and_spoils_nothing():
    seen = np.array([[[1.0, np.nan, np.inf, 1e30]]], dtype=np.float32)
    found = Spikes(ceiling=1e40).count(seen, seen, 1.0, stream())[0, 0]
    assert np.isfinite(found[0])
    assert np.isnan(found[1])
    assert np.isposinf(found[2])
    assert found[3] == pytest.approx(1e31)


def test_a_probe_that_counts_has_its_electrodes_where_one_that_does_not_has_them():
    plain, counting = (
        Probe(units=9, spikes=spikes).implant(rat(), stream(7)) for spikes in (None, Spikes())
    )
    for layer in SIZES:
        np.testing.assert_array_equal(
            plain.selection.units[layer].index, counting.selection.units[layer].index
        )
    seen = counting.record(rat(), stream(8), set_on_rats(Probe(units=9, spikes=Spikes())))
    assert seen.activity.shape == (6, N_STIMULI, 9)
    without = plain.record(rat(), stream(8))
    np.testing.assert_array_equal(seen.weights, without.weights)
    np.testing.assert_array_equal(seen.activity_change, without.activity_change)
    assert (seen.activity != without.activity).any()


def test_layers_are_counted_independently():
    alone = Probe(units_per_layer=2, layers=("second",), spikes=Spikes())
    together = Probe(units_per_layer=2, spikes=Spikes())
    one, all_ = (
        p.implant(rat(), stream(7)).record(rat(), stream(8), set_on_rats(p))
        for p in (alone, together)
    )
    np.testing.assert_array_equal(
        one.activity, all_.activity.isel(unit=all_.unit_layer.values == "second")
    )


def test_an_infinite_response_mistaken_for_another_warns_of_nothing():
    seen = np.array([[[np.inf, -np.inf, 1.0]]], dtype=np.float32)
    layer = np.array([[[np.inf, -np.inf]]], dtype=np.float32)
    for seed in range(8):
        found = Spikes(contamination=0.5).count(seen, layer, 1.0, stream(seed))[0, 0]
        assert not np.isfinite(found).all()
