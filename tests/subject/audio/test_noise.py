from __future__ import annotations

import numpy as np
import pytest

from virtuallab.subject.audio.cochleagram import SAMPLE_RATE
from virtuallab.subject.audio.noise import NOISES, noise, unit_power

SAMPLES = 2 * SAMPLE_RATE
VOICES = [np.sin(2 * np.pi * f * np.arange(4000) / SAMPLE_RATE) for f in (300.0, 700.0, 1100.0)]


def made(kind: str, seed: int = 1, samples: int = SAMPLES) -> np.ndarray:
    return noise(kind, samples, np.random.default_rng(seed), VOICES)


def power(sound: np.ndarray, low: float, high: float) -> float:
    spectrum = np.abs(np.fft.rfft(sound)) ** 2
    frequency = np.fft.rfftfreq(len(sound), 1 / SAMPLE_RATE)
    return float(spectrum[(frequency >= low) & (frequency < high)].sum() / spectrum.sum())


@pytest.mark.parametrize("kind", NOISES)
def test_noise_has_unit_power_and_another_form_for_every_seed(kind: str) -> None:
    assert np.sqrt(np.mean(made(kind) ** 2)) == pytest.approx(1)
    np.testing.assert_array_equal(made(kind), made(kind))
    assert not np.allclose(made(kind), made(kind, seed=2))


@pytest.mark.parametrize("kind", NOISES)
def test_noise_has_the_length_asked_for(kind: str) -> None:
    assert made(kind, samples=1001).shape == (1001,)


def test_white_noise_has_equal_power_in_equal_bands() -> None:
    assert power(made("white"), 0, 5000) == pytest.approx(0.5, abs=0.02)


def test_pink_noise_has_equal_power_in_octaves() -> None:
    octaves = [power(made("pink"), low, 2 * low) for low in (160, 640, 2560, 5000)]
    np.testing.assert_allclose(octaves, octaves[0], rtol=0.2)


def test_babble_consists_of_the_voices() -> None:
    near = sum(power(made("babble"), f - 40, f + 40) for f in (300.0, 700.0, 1100.0))
    assert near > 0.9


def test_hum_is_at_multiples_of_a_mains_frequency() -> None:
    found = {f: [power(made("hum", seed), f - 1, f + 1) for seed in range(8)] for f in (50, 60)}
    fundamental = 1 / sum(1 / number**2 for number in range(1, 9))
    for fifty, sixty in zip(found[50], found[60], strict=True):
        assert max(fifty, sixty) == pytest.approx(fundamental, abs=0.01)
        assert min(fifty, sixty) < 1e-6
    assert len({fifty > 0.1 for fifty in found[50]}) == 2, "both mains frequencies are drawn"


def test_silence_has_no_power_to_scale() -> None:
    np.testing.assert_array_equal(unit_power(np.zeros(5)), np.zeros(5))
