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


@pytest.mark.parametrize("fano", [0.6, 1.4, 3.0])
@pytest.mark.parametrize("missed", [0.0, 0.4])
def test_counts_of_single_trials_have_the_fano_factor_less_what_was_missed(fano, missed):
    spikes = Spikes(rate=20.0, window=0.5, trials=1, missed=missed, fano_factor=fano)
    seen = constant(1.0)
    counts = spikes.count(seen, 1.0, stream(1)).astype(np.float64) * 0.5
    np.testing.assert_allclose(counts, np.round(counts), atol=1e-5)
    mean, ratio = 10 * (1 - missed), 1 + (1 - missed) * (fano - 1)
    assert abs(counts.mean() - mean) < 5 * np.sqrt(mean * ratio / 40_000)
    squares = (counts - mean) ** 2
    assert abs(squares.mean() - mean * ratio) < 5 * squares.std() / np.sqrt(40_000)


def test_the_mean_of_trials_varies_as_much_less_as_there_are_trials():
    seen = constant(1.0)
    one, many = (
        Spikes(fano_factor=2.0, trials=trials).count(seen, 1.0, stream(1)).var(dtype=float)
        for trials in (1, 25)
    )
    assert one / many == pytest.approx(25, rel=5 * np.sqrt(2 * 3 / 40_000))


def dead_time_counts(rate: float, dead: float, window: float, count: int) -> np.ndarray:
    """Spikes in windows of a train with a silent time after each, one interval after another."""
    drawn = stream(3)
    length = int(3 * window * rate) + 60
    times = (drawn.exponential(1 / rate, (count, length)) + dead).cumsum(1)
    start = 20 * (dead + 1 / rate)  # the train has forgotten by then how it began
    assert times[:, -1].min() > start + window
    return ((times > start) & (times < start + window)).sum(1)


@pytest.mark.parametrize("free", [20.0, 100.0, 400.0])
def test_refractory_counts_have_the_moments_of_a_simulated_train(free):
    dead, window, count = 0.002, 1.0, 8000
    train = dead_time_counts(free, dead, window, count)
    spikes = Spikes(rate=free, ceiling=1e9, window=window, trials=1, refractory=dead)
    seen = constant(1.0)
    counts = spikes.count(seen, 1.0, stream(4)).astype(np.float64)
    fired = free / (1 + free * dead)
    assert abs(counts.mean() - fired) < 5 * np.sqrt(fired / 40_000)
    assert abs(train.mean() - fired) < 5 * train.std() / np.sqrt(count)
    assert counts.var() < fired, "not more regular than Poisson"
    # The train's variance is known to 5 sqrt(2 / 8000) = 8 %; a window has ends, which add to it
    # up to a quarter of a spike.
    assert counts.var() == pytest.approx(train.var(), rel=5 * np.sqrt(2.5 / count), abs=0.25)


def test_a_refractory_neuron_never_fires_faster_than_its_period_allows():
    spikes = Spikes(ceiling=1e9, refractory=0.01)
    rates = spikes.firing_rates(np.array([0.0, 1.0, 1e6, 1e30]), 1.0)
    np.testing.assert_allclose(rates, [0, 10 / 1.1, 100, 100], rtol=1e-4)
    assert spikes.firing_rates(np.array([2.0]), 0.0) == pytest.approx(100)  # silent untrained
    seen = constant(1e30, 5)
    np.testing.assert_allclose(spikes.count(seen, 1.0, stream()), 100, atol=1e-3)


@pytest.mark.parametrize("fano", [0.7, 1.0, 2.0])
@pytest.mark.parametrize("correlation", [0.05, 0.25, 0.6])
def test_units_have_correlated_counts_with_the_moments_of_independent_ones(correlation, fano):
    many, responses = 40_000, np.array([0.8, 1.0, 3.0, 9.0])
    spikes = Spikes(rate=10.0, ceiling=1e9, fano_factor=fano, correlation=correlation)
    seen = np.broadcast_to(responses.astype(np.float32), (1, many, 4))
    counts = 2 * spikes.count(seen, 1.0, stream(5))[0].astype(np.float64)
    np.testing.assert_allclose(counts, np.round(counts), atol=1e-3)
    means = 20 * responses
    squares = (counts - means) ** 2
    assert (abs(counts.mean(0) - means) < 5 * np.sqrt(fano * means / many)).all()
    assert (abs(squares.mean(0) - fano * means) < 5 * squares.std(0) / np.sqrt(many)).all()
    pairs = np.corrcoef(counts, rowvar=False)[np.triu_indices(4, 1)]
    # The fourth moments of a skewed excitability make a correlation up to twice as uncertain.
    np.testing.assert_allclose(pairs, correlation, atol=10 / np.sqrt(many))


def test_weak_responses_are_less_correlated_and_have_the_same_moments():
    many = 200_000
    spikes = Spikes(rate=1.0, window=0.1, trials=1, correlation=0.25)
    seen = np.full((1, many, 2), 1.0, dtype=np.float32)
    counts = 0.1 * spikes.count(seen, 1.0, stream(5))[0].astype(np.float64)
    assert counts.mean() == pytest.approx(0.1, abs=5 * np.sqrt(0.1 / many))
    assert counts.var() == pytest.approx(0.1, rel=5 * np.sqrt(12 / many))
    swing = 0.1 / 2
    found = np.corrcoef(counts, rowvar=False)[0, 1]
    assert found == pytest.approx(swing**2 / 0.1, abs=10 / np.sqrt(many))
    assert found < 0.1


def test_layers_have_no_excitability_in_common_and_it_is_drawn_at_each_stimulus():
    probe = Probe(observables=("activity",), spikes=Spikes(trials=1000, correlation=1.0))
    still = rat()
    for layer in SIZES:
        still.responses[layer][:] = 1.0
    found = probe.implant(still, stream(1)).record(still, stream(2), set_on_rats(probe))
    rates = found["activity"].values.reshape(6 * N_STIMULI, -1)
    pairs = np.corrcoef(rates, rowvar=False)
    same = found["unit_layer"].values[:, None] == found["unit_layer"].values
    assert pairs[same].min() > 0.95
    assert abs(pairs[~same]).max() < 5 / np.sqrt(6 * N_STIMULI)
    assert len(np.unique(rates[:, 0])) > 20


def test_a_train_that_is_neither_regular_nor_irregular_is_counted_as_before():
    seen = rat().responses["first"]
    plain, written = (
        spikes.count(seen, 1.0, stream(1))
        for spikes in (Spikes(), Spikes(fano_factor=1.0, refractory=0.0))
    )
    np.testing.assert_array_equal(plain, written)
    expected = stream(1).spawn(2)[1].poisson(10.0 * seen.astype(np.float64) * 2.0)
    np.testing.assert_allclose(plain, expected / 2, rtol=1e-6)


@pytest.mark.parametrize("response", [0.05, 1.0, 30.0])
@pytest.mark.parametrize("missed", [0.0, 0.4])
def test_mean_and_variance_are_those_of_a_thinned_poisson_count(response, missed):
    spikes = Spikes(rate=20.0, ceiling=1e9, window=0.25, trials=3, missed=missed)
    seen = constant(response)
    found = spikes.count(seen, 1.0, stream(1)).astype(np.float64)
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
    found = Spikes(trials=10**9).count(seen, 1.0, stream())
    np.testing.assert_allclose(found, 10 * seen, atol=1e-2)


def test_counts_are_whole_numbers_of_spikes():
    seen = rat().responses["first"]
    spikes = Spikes(rate=8.0, window=0.5, trials=2)
    counts = spikes.count(seen, 1.0, stream())  # in a second of all trials
    np.testing.assert_allclose(counts, np.round(counts), atol=1e-4)
    assert counts.max() > 3


def test_suppression_gives_no_spikes():
    seen = constant(-2.0, 100)
    np.testing.assert_array_equal(Spikes(ceiling=1e40).count(seen, 1.0, stream()), 0)


def test_contamination_mixes_in_one_other_neuron_of_the_layer_at_all_visits():
    tissue = rat()
    layer = tissue.responses["first"]
    own = layer[..., :1]
    spikes = Spikes(trials=10**9, contamination=0.3)
    others = layer[..., spikes.mistaken(layer.shape[-1], 1, stream(4))]
    found = spikes.count(own, 1.0, stream(4), others) / 10
    rest = (found - 0.7 * own)[..., 0] / 0.3
    misfits = [np.abs(rest - layer[..., other]).max() for other in range(layer.shape[-1])]
    assert min(misfits) < 1e-2 < np.sort(misfits)[1]


def test_contamination_is_that_of_the_neighbour_where_units_have_places():
    layer = rat().responses["first"]
    spikes = Spikes(trials=10**9, contamination=0.3)
    found = spikes.count(layer[..., :1], 1.0, stream(4), layer[..., 7:8]) / 10
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


@pytest.mark.parametrize("correlation", [0.0, 0.2])
@pytest.mark.parametrize("fano", [0.5, 1.0, 2.0])
def test_what_is_not_finite_stays_and_spoils_nothing(fano, correlation):
    seen = np.array([[[1.0, np.nan, np.inf, 1e30]]], dtype=np.float32)
    found = Spikes(ceiling=1e40, fano_factor=fano, correlation=correlation).count(
        seen, 1.0, stream()
    )[0, 0]
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
        spikes = Spikes(contamination=0.5)
        others = layer[..., spikes.mistaken(2, 3, stream(seed))]
        found = spikes.count(seen, 1.0, stream(seed), others)[0, 0]
        assert not np.isfinite(found).all()
