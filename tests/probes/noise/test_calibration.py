"""What a probe is set to: the spreads of reference networks, as the probe reads them out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.probes.rat import SIZES, rat, set_on_rats, stream
from virtuallab.probes import Calcium, GaussianNoise, Probe, Spikes

REFERENCE = rat(99)


def test_a_layer_spreads_over_units_and_stimuli_and_a_unit_over_stimuli():
    found = set_on_rats(Probe(units=5, synapses=7))
    for layer in SIZES:
        seen = REFERENCE.responses[layer]
        of_units = seen.std(1)
        spread = found.spreads["activity"][layer]
        assert spread.layer == pytest.approx(np.sqrt(seen.var((1, 2)).mean()), rel=1e-5)
        assert spread.unit == pytest.approx(np.median(of_units[of_units > 0]), rel=1e-5)
        weights = REFERENCE.weights[layer]
        wanted = np.sqrt(weights.var(1).mean())
        assert found.spreads["weights"][layer].layer == pytest.approx(wanted, rel=1e-5)


def test_units_that_never_respond_do_not_lower_the_spread_of_the_median_unit():
    silent = rat(99)
    silent.responses["first"][:, :, :7] = 0
    spread = Probe().calibrate(silent, stream()).spreads["activity"]["first"]
    assert spread.unit == pytest.approx(np.median(silent.responses["first"][:, :, 7:].std(1)))


def test_it_does_not_depend_on_how_many_units_are_recorded():
    few, many = (set_on_rats(Probe(units=count, visits=2, stimuli=3)) for count in (3, 20))
    assert few.spreads["activity"] == many.spreads["activity"]
    assert few.spreads["weights"] == many.spreads["weights"]
    assert few.responses == many.responses


def test_of_an_activity_change_it_is_that_of_sums_over_as_many_units():
    one, all_ = (
        set_on_rats(Probe(units_per_layer=count, observables=("activity_change",)))
        for count in (1, 4)
    )
    implant = Probe(units_per_layer=1).implant(REFERENCE, stream(99))
    sums = REFERENCE.jacobian("first", implant.selection.units["first"].index)
    wanted = np.sqrt(sums.reshape(len(sums), -1).var(1).mean())
    assert one.spreads["activity_change"]["first"].layer == pytest.approx(wanted, rel=1e-5)
    assert all_.spreads["activity_change"]["first"].layer > 1.3 * wanted


def test_fluorescence_is_set_on_fluorescence_and_rates_on_rates():
    plain = set_on_rats(Probe(observables=("activity",)))
    glow = set_on_rats(Probe(observables=("activity",), calcium=Calcium(saturation=0.1)))
    rates = set_on_rats(Probe(observables=("activity",), spikes=Spikes(rate=10.0, ceiling=1e9)))
    for layer in SIZES:
        spread = plain.spreads["activity"][layer].layer
        assert glow.spreads["activity"][layer].layer < 0.1 < spread
        wanted = 10 * spread / plain.responses[layer]
        assert rates.spreads["activity"][layer].layer == pytest.approx(wanted, rel=1e-5)


@pytest.mark.parametrize("visits", [1, 6])
def test_the_typical_response_fires_at_the_rate_of_the_probe(visits):
    probe = Probe(spikes=Spikes(rate=12.0, ceiling=30.0), visits=visits)
    found = set_on_rats(probe)
    typical = float(np.sqrt(np.mean(REFERENCE.responses["second"] ** 2)))
    assert found.responses["second"] == pytest.approx(typical, rel=1e-5)
    fired = probe.spikes.firing_rates(np.array([0.0, typical, 2 * typical, 9 * typical]), typical)
    np.testing.assert_allclose(fired, [0, 12, 24, 30])


def test_a_layer_without_signal_in_the_reference_gets_no_noise_from_a_ratio():
    silent = rat()
    silent.responses["second"][:] = 0
    probe = Probe(noise=GaussianNoise(snr=1.0), observables=("activity",))
    calibration = probe.calibrate(silent, stream())
    found = probe.implant(silent, stream()).record(silent, stream(), calibration)
    of_second = found["activity"].values[..., found["unit_layer"].values == "second"]
    assert (of_second == 0).all()


def test_noise_of_a_recording_is_that_of_the_reference_at_every_visit():
    """Whatever the recorded tissue does, and whoever of it is recorded."""
    grown = rat(3)
    for layer in SIZES:
        grown.responses[layer][:] *= np.arange(1, 7, dtype=np.float32)[:, None, None] ** 3
    probe = Probe(observables=("activity",), noise=GaussianNoise(snr=2.0))
    calibration = set_on_rats(probe)
    implant = probe.implant(grown, stream(1))
    noisy = implant.record(grown, stream(2), calibration)
    clean = Probe(observables=("activity",)).implant(grown, stream(1)).record(grown, stream(2))
    noise = (noisy - clean)["activity"].values
    for layer in SIZES:
        mine = noisy["unit_layer"].values == layer
        deviations = noise[..., mine].std((1, 2))
        expected = calibration.spreads["activity"][layer].layer / 2
        np.testing.assert_allclose(deviations, expected, rtol=0.45)  # of 40 to 120 draws
        assert abs(np.corrcoef(deviations, np.arange(6))[0, 1]) < 0.95


@pytest.mark.parametrize(
    "probe",
    [
        Probe(units=5, synapses=7),
        Probe(spikes=Spikes(), observables=("activity",)),
        Probe(pool=2, selection="active", observables=("activity",)),
    ],
)
def test_networks_that_are_shown_one_after_the_other_are_calibrated_as_together(probe):
    def network(number: int):
        one = slice(number, number + 1)
        return replace(
            REFERENCE,
            responses={n: v[one] for n, v in REFERENCE.responses.items()},
            weights={n: v[one] for n, v in REFERENCE.weights.items()},
            jacobians={n: v[one] for n, v in REFERENCE.jacobians.items()},
        )

    together = probe.calibrate(REFERENCE, stream(1))
    found = probe.calibrate(network(0), stream(1), lambda: map(network, range(1, 6)))
    assert found.responses == pytest.approx(together.responses)
    for name, spreads in together.spreads.items():
        for layer, spread in spreads.items():
            mine = found.spreads[name][layer]
            assert (mine.layer, mine.unit) == pytest.approx((spread.layer, spread.unit))
