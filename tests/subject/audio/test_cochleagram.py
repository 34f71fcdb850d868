from __future__ import annotations

import numpy as np
import pytest
from scipy import signal

from virtuallab.subject.audio.cochleagram import (
    ENVELOPE_RATE,
    SAMPLE_RATE,
    centre_frequencies,
    cochleagrams,
    erb_number,
    transfer_functions,
)

TIME = np.arange(SAMPLE_RATE // 2) / SAMPLE_RATE
CENTRES = centre_frequencies(32)


def tone(frequency: float, amplitude: float = 1.0) -> np.ndarray:
    return amplitude * np.sin(2 * np.pi * frequency * TIME)


def shown(*sounds: np.ndarray, frames: int = 20) -> np.ndarray:
    return cochleagrams(np.stack(sounds), 32, frames)


def test_bandwidths_are_those_of_glasberg_and_moore() -> None:
    """ERB = 24.7 (4.37 F + 1) for F in kHz; its reciprocal is the slope of the scale."""
    frequency = np.array([100.0, 1000.0, 5000.0])
    slope = (erb_number(frequency + 0.5) - erb_number(frequency - 0.5)) / 1.0
    np.testing.assert_allclose(1 / slope, 24.7 * (4.37 * frequency / 1000 + 1), rtol=2e-3)


def test_filters_lie_evenly_on_the_scale_between_20_and_8000_hz() -> None:
    edges = erb_number(np.array([20.0, *CENTRES, 8000.0]))
    np.testing.assert_allclose(np.diff(edges), np.diff(edges)[0])


def test_squared_gains_add_up_to_one() -> None:
    frequency = np.linspace(CENTRES[0], CENTRES[-1], 500)
    gains = transfer_functions(32, frequency)
    np.testing.assert_allclose((gains**2).sum(axis=0), 1)
    assert ((gains > 0).sum(axis=0) <= 2).all()


def test_nothing_below_20_or_above_8000_hz_passes() -> None:
    assert not transfer_functions(32, np.array([0.0, 19.9, 8000.1, 10_000.0])).any()


@pytest.mark.parametrize("number", [3, 12, 20, 31])
def test_a_tone_excites_the_filter_whose_centre_is_nearest(number: int) -> None:
    frequency = float(CENTRES[number] * 1.01)
    excited = shown(tone(frequency))[0, :, 5:-5].mean(axis=1)
    assert excited.argmax() == number == np.abs(CENTRES - frequency).argmin()
    assert excited[number] > 1.3 * np.delete(excited, number).max()


def test_the_envelope_of_a_tone_at_a_centre_is_its_amplitude_to_the_power_of_0_3() -> None:
    frequency = 2 * round(CENTRES[15] / 2)  # whole periods in the sound
    gain = transfer_functions(32, np.array([float(frequency)]))[15, 0]
    for amplitude in (0.01, 0.5, 1.0):
        found = shown(tone(frequency, amplitude))[0, 15]
        np.testing.assert_allclose(found, (gain * amplitude) ** 0.3, rtol=1e-4)


def test_a_louder_sound_is_compressed() -> None:
    sound = np.random.default_rng(1).standard_normal(len(TIME))
    quiet, loud = shown(sound, 10 * sound)
    np.testing.assert_allclose(loud, 10**0.3 * quiet, rtol=1e-4)


def test_a_late_sound_is_in_late_frames() -> None:
    sound = np.where(TIME >= 0.25, tone(1000.0), 0.0)
    response = shown(sound)[0, np.abs(CENTRES - 1000).argmin()]
    assert response[11:].min() > 0.95
    assert response[1:9].max() < 0.2  # frame 0 follows the end of the sound


def test_it_equals_filtering_and_a_hilbert_transform_at_the_full_rate() -> None:
    """Bands are moved to frequency 0 and sampled at a lower rate, which changes nothing."""
    sound = np.random.default_rng(2).standard_normal(len(TIME))
    gains = transfer_functions(32, np.fft.rfftfreq(len(TIME), 1 / SAMPLE_RATE))
    bands = np.fft.irfft(np.fft.rfft(sound) * gains, len(TIME))
    envelopes = np.abs(signal.hilbert(bands))
    kept = signal.resample(envelopes, len(TIME) * ENVELOPE_RATE // SAMPLE_RATE, axis=-1)
    expected = (np.maximum(kept, 0) ** 0.3).reshape(32, 20, -1).mean(axis=2)
    difference = np.abs(shown(sound)[0] - expected)
    assert difference.mean() < 2e-3
    assert difference.max() < 0.05


def test_a_sound_does_not_depend_on_the_others() -> None:
    sounds = np.random.default_rng(3).standard_normal((40, 2000))
    together = cochleagrams(sounds, 8, 5)
    assert together.shape == (40, 8, 5)
    assert together.dtype == np.float32
    np.testing.assert_array_equal(together[37:38], cochleagrams(sounds[37:38], 8, 5))


@pytest.mark.parametrize(("filters", "frames", "samples"), [(1024, 3, 1000), (2, 400, 1000)])
def test_extreme_sizes_are_possible(filters: int, frames: int, samples: int) -> None:
    found = cochleagrams(np.ones((1, samples)), filters, frames)
    assert found.shape == (1, filters, frames)
    assert np.isfinite(found).all()
