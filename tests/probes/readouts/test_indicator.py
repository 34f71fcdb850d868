"""Every indicator shows stimuli in the order of the visit and counts photons."""

from __future__ import annotations

import numpy as np
import pytest

from tests.probes.rat import N_STIMULI, N_VISITS, SIZES, rat, set_on_rats, stream
from virtuallab.probes import Calcium, GaussianNoise, Probe
from virtuallab.probes.observables.unit_readout import FixedUnits

ACTIVITY = ("activity",)
MANY = 60_000


def recorded(calcium: Calcium | None, seed: int = 7, **settings):  # type: ignore[no-untyped-def]
    probe = Probe(units_per_layer=3, observables=ACTIVITY, calcium=calcium, **settings)
    return probe.implant(rat(), stream(seed)).record(rat(), stream(8), set_on_rats(probe))


@pytest.mark.parametrize("fluorescence", [0.0, 0.8, 6.0])
@pytest.mark.parametrize("photons", [5.0, 300.0])
def test_photon_noise_has_a_variance_in_proportion_to_the_light(fluorescence, photons):
    seen = np.full((1, MANY, 1), fluorescence, dtype=np.float32)
    found = Calcium(photons=photons).detected(seen, stream(1))
    assert found.dtype == np.float32
    variance = (1 + fluorescence) / photons
    # Five standard errors of MANY Poisson counts with this mean.
    assert abs(found.mean(dtype=float) - fluorescence) < 5 * np.sqrt(variance / MANY)
    fourth = 2 + 1 / (photons * (1 + fluorescence))
    assert abs(found.var(dtype=float) / variance - 1) < 5 * np.sqrt(fourth / MANY)
    counts = photons * (1 + found.astype(float))
    np.testing.assert_allclose(counts, np.round(counts), atol=1e-2)


def test_the_noise_level_of_a_cell_at_rest_is_that_of_its_photons():
    photons, frame_rate = 30_000.0, 30.0
    trace = Calcium(photons=photons).detected(np.zeros((1, MANY, 1), np.float32), stream(1))
    level = np.median(abs(np.diff(trace[0, :, 0]))) / np.sqrt(frame_rate)
    # A median of so many differences is known to 5 sqrt(pi / 2 / MANY) of it, about 3 %.
    assert level == pytest.approx(0.954 / np.sqrt(photons * frame_rate), rel=0.03)


def test_what_is_not_finite_is_not_counted():
    seen = np.array([[[np.nan, np.inf, -3.0]]], dtype=np.float32)
    found = Calcium(photons=10.0).detected(seen, stream())[0, 0]
    assert np.isnan(found[0])
    assert np.isposinf(found[1])
    assert found[2] == -1, "less light than none"


def test_a_probe_detects_its_fluorescence_and_moves_no_other_random_number():
    noise = GaussianNoise(sigma=0.1)
    dark, light = (recorded(Calcium(photons=n), noise=noise) for n in (None, 1e9))
    np.testing.assert_allclose(light.activity, dark.activity, atol=2e-3)
    assert (light.activity != dark.activity).any()


def test_each_visit_has_an_order_of_its_own_for_all_layers():
    found = recorded(Calcium(order="random"))
    order = found["stimulus_order"]
    assert order.dims == ("visit", "stimulus")
    np.testing.assert_array_equal(np.sort(order.values, axis=1), [range(N_STIMULI)] * N_VISITS)
    assert len(np.unique(order.values, axis=0)) == N_VISITS
    again, other = (recorded(Calcium(order="random"), seed)["stimulus_order"] for seed in (7, 6))
    np.testing.assert_array_equal(again, order)
    assert (other.values != order.values).any()
    assert "stimulus_order" not in recorded(Calcium())
    np.testing.assert_array_equal(found["unit_index"], recorded(Calcium())["unit_index"])


def test_what_is_left_comes_from_the_stimulus_before_in_the_order_of_the_visit():
    dye = Calcium(order="random", decay=0.5, interval=1.0)
    tissue, found = rat(), recorded(dye)
    left = np.exp(-2.0)
    for layer in SIZES:
        mine = found["unit_layer"].values == layer
        units = found["unit_index"].values[mine]
        for visit, places in enumerate(found["stimulus_order"].values):
            fluorescence = found["activity"].values[visit][:, mine]
            before = np.zeros(len(units))
            for stimulus in np.argsort(places):
                wanted = (
                    left * before + (1 - left) * tissue.responses[layer][visit][stimulus, units]
                )
                np.testing.assert_allclose(fluorescence[stimulus], wanted, rtol=1e-4, atol=1e-6)
                before = fluorescence[stimulus]


def test_a_strong_stimulus_is_left_in_another_neighbour_at_each_visit():
    """Two visits with the same responses differ, by where the strong stimulus came."""
    seen = np.zeros((2, 5, 1), dtype=np.float32)
    seen[:, 2] = 9.0
    orders = np.array([[0, 1, 2, 3, 4], [4, 2, 0, 1, 3]])
    found = Calcium(decay=1.0, interval=1.0).in_order(seen, orders)[..., 0]
    assert found[0].argsort()[::-1][:3].tolist() == [2, 3, 4]
    assert found[1].argsort()[::-1][:4].tolist() == [2, 0, 1, 3]
    assert found[0, 0] == found[1, 4] == 0


def test_stimuli_that_do_not_mix_have_no_order():
    fast = {"decay": 0.01, "interval": 10.0}
    fixed, random = (recorded(Calcium(order=order, **fast)) for order in ("fixed", "random"))
    np.testing.assert_allclose(random.activity, fixed.activity, rtol=1e-6)


def test_the_calibration_is_on_orders_too():
    fixed, random = (
        set_on_rats(Probe(observables=ACTIVITY, calcium=Calcium(order=order, decay=2.0)))
        for order in ("fixed", "random")
    )
    for layer in SIZES:
        one, other = (each.spreads["activity"][layer].layer for each in (fixed, random))
        assert one != other
        assert one == pytest.approx(other, rel=0.3)
    implant = Probe(units=4, observables=ACTIVITY).implant(rat(), stream())
    assert implant.selection.orders is None
    assert isinstance(implant.selection.units["first"], FixedUnits)


def test_an_amplitude_makes_all_layers_fluoresce_alike():
    tissue = rat()
    tissue.responses["first"][:] *= 100
    fast = {"decay": 0.01, "interval": 10.0}
    probe = Probe(observables=ACTIVITY, calcium=Calcium(amplitude=0.5, **fast))
    calibration = probe.calibrate(tissue, stream(9))
    found = probe.implant(tissue, stream()).record(tissue, stream(1), calibration)
    for layer in SIZES:
        values = found["activity"].values[..., found["unit_layer"].values == layer]
        assert np.sqrt((values.astype(float) ** 2).mean()) == pytest.approx(0.5, rel=1e-4)
        assert calibration.spreads["activity"][layer].layer < 0.5
    plain = tissue.responses["first"]
    np.testing.assert_allclose(
        found["activity"].values[..., found["unit_layer"].values == "first"],
        plain * 0.5 / np.sqrt((plain.astype(float) ** 2).mean()),
        rtol=1e-4,
    )


def test_a_layer_that_is_silent_untrained_keeps_its_responses():
    seen = np.array([[[1.0, np.inf, np.nan]]], dtype=np.float32)
    np.testing.assert_array_equal(Calcium(amplitude=0.5).scaled(seen, 0.0), seen)
    np.testing.assert_array_equal(Calcium().scaled(seen, 3.0), seen)


def test_an_amplitude_without_a_calibration_is_refused():
    implant = Probe(observables=ACTIVITY, calcium=Calcium(amplitude=0.5)).implant(rat(), stream())
    with pytest.raises(ValueError, match="an amplitude needs a calibration"):
        implant.record(rat(), stream())
