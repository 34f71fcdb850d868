"""Fluorescence follows its equation."""

from __future__ import annotations

import numpy as np
import pytest

from tests.probes.rat import rat, stream
from virtuallab.probes import Probe
from virtuallab.probes.readouts.indicators.calcium import Calcium
from virtuallab.probes.readouts.spikes import Spikes


def test_a_response_that_lasts_is_shown_as_it_is():
    seen = np.full((2, 60, 3), 1.7, dtype=np.float32)
    found = Calcium(decay=0.5, interval=0.5).fluorescence(seen)
    np.testing.assert_allclose(found[:, -1], 1.7, rtol=1e-6)


def test_of_a_stimulus_alone_a_share_is_left_at_each_of_the_next():
    seen = np.zeros((1, 6, 1), dtype=np.float32)
    seen[0, 2] = 4.0
    found = Calcium(decay=0.8, interval=0.4).fluorescence(seen)[0, :, 0]
    left = np.exp(-0.5)
    expected = [0, 0, *(4 * (1 - left) * left**k for k in range(4))]
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_a_short_stimulus_rises_and_decays_with_both_constants():
    """Of responses in many short steps, the impulse response is a difference of exponentials."""
    decay, rise, step = 0.5, 0.05, 1e-4
    seen = np.zeros((1, 20_000, 1), dtype=np.float32)
    seen[0, 0] = 1 / step
    found = Calcium(decay=decay, rise=rise, interval=step).fluorescence(seen)[0, :, 0]
    time = step * np.arange(1, 20_001)
    expected = (np.exp(-time / decay) - np.exp(-time / rise)) / (decay - rise)
    np.testing.assert_allclose(found, expected, atol=2e-3 * expected.max())
    peak = np.log(decay / rise) * decay * rise / (decay - rise)
    assert time[found.argmax()] == pytest.approx(peak, abs=2 * step)


def test_a_rise_is_two_filters_one_after_the_other():
    decay, rise, interval = 0.4, 0.1, 0.3
    seen = rat().responses["first"]
    # Many steps of a tenth of a millisecond, each filtered twice.
    steps, left = 3000, [np.exp(-interval / 3000 / constant) for constant in (rise, decay)]
    state = np.zeros((2, *seen[:, 0].shape))
    for stimulus in range(2):
        for _ in range(steps):
            state[0] = left[0] * state[0] + (1 - left[0]) * seen[:, stimulus]
            state[1] = left[1] * state[1] + (1 - left[1]) * state[0]
    found = Calcium(decay=decay, rise=rise, interval=interval).fluorescence(seen)
    np.testing.assert_allclose(found[:, 1], state[1], rtol=2e-3, atol=1e-6)


def test_a_response_that_lasts_is_shown_as_it_is_whatever_the_rise():
    seen = np.full((1, 60, 1), 1.7, dtype=np.float32)
    found = Calcium(decay=0.5, rise=0.3, interval=0.5).fluorescence(seen)
    np.testing.assert_allclose(found[:, -1], 1.7, rtol=1e-6)
    assert (np.diff(found[0, :, 0]) > -1e-6).all()


def test_a_rise_at_once_changes_nothing():
    seen = rat().responses["first"]
    short = Calcium(rise=1e-9).fluorescence(seen)
    np.testing.assert_allclose(short, Calcium().fluorescence(seen), rtol=1e-6)


@pytest.mark.parametrize("rise", [0.5, 0.7])
def test_a_rise_that_is_not_shorter_than_the_decay_is_refused(rise):
    with pytest.raises(ValueError, match=r"rise: 0\.\d s is not shorter than the decay, 0\.5 s"):
        Calcium(decay=0.5, rise=rise)


def test_slow_stimuli_do_not_mix():
    seen = rat().responses["first"]
    np.testing.assert_allclose(
        Calcium(decay=0.1, interval=10.0).fluorescence(seen), seen, rtol=1e-6, atol=1e-30
    )


def test_at_saturation_it_shows_half_of_its_highest():
    seen = np.array([1e-3, 5.0, 1e9], dtype=np.float32).reshape(3, 1, 1)
    found = Calcium(interval=100.0, saturation=5.0).fluorescence(seen)[:, 0, 0]
    np.testing.assert_allclose(found, [1e-3, 2.5, 5.0], rtol=1e-3)


def test_suppression_does_not_glow():
    seen = np.full((1, 4, 2), -3.0, dtype=np.float32)
    np.testing.assert_array_equal(Calcium().fluorescence(seen), 0)


def test_visits_and_units_do_not_mix():
    seen = np.zeros((2, 5, 2), dtype=np.float32)
    seen[0, :, 1] = 1.0
    found = Calcium().fluorescence(seen)
    assert (found[0, :, 1] > 0).all()
    np.testing.assert_array_equal(np.delete(found.reshape(2, 5, 2)[0], 1, axis=1), 0)
    np.testing.assert_array_equal(found[1], 0)


def test_a_probe_sees_the_fluorescence_and_then_its_noise():
    plain = Probe(units=9).implant(rat(), stream(7)).record(rat(), stream(8))
    glowing = Probe(units=9, calcium=Calcium()).implant(rat(), stream(7)).record(rat(), stream(8))
    first = plain.unit_layer.values == "first"
    np.testing.assert_allclose(
        glowing.activity.values[..., first],
        Calcium().fluorescence(plain.activity.values[..., first]),
    )
    np.testing.assert_array_equal(glowing.weights, plain.weights)


@pytest.mark.parametrize(
    ("probe", "words"),
    [
        (
            Probe(units=2, spikes=Spikes(), calcium=Calcium()),
            "records spike counts or fluorescence",
        ),
        (Probe(synapses=2, observables=("weights",), calcium=Calcium()), "does not measure"),
    ],
)
def test_what_excludes_itself_is_said(probe, words):
    units = {layer: r.shape[-1] for layer, r in rat().responses.items()}
    [(place, message)] = probe.check(units, dict.fromkeys(units, 9), 6, 10)
    assert place == "calcium"
    assert words in message
