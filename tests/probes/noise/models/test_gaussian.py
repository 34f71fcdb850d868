"""Measurement noise."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from virtuallab.probes.noise.calibration import Spread
from virtuallab.probes.noise.models.gaussian import GaussianNoise


def signal(scale: float = 1.0, seed: int = 3) -> np.ndarray:
    found = scale * np.random.default_rng(seed).standard_normal((4, 50, 60)) + 7
    return found.astype(np.float32)


def added(noise: GaussianNoise, clean: np.ndarray, spread: Spread | None = None, seed: int = 0):
    deviation = noise.deviation(spread)
    return noise.add(clean, deviation, np.random.default_rng(seed)) - clean


@settings(max_examples=15, deadline=None)
@given(st.floats(0.01, 10), st.integers(0, 2**32))
def test_absolute_noise_has_the_moments_asked_for(sigma, seed):
    noise = added(GaussianNoise(sigma=sigma), signal(), seed=seed)
    # 12,000 draws: the mean is known to 0.9 %, the deviation to 0.65 %; five of either.
    assert abs(noise.mean() / sigma) < 0.046
    assert abs(noise.std() / sigma - 1) < 0.033


@pytest.mark.parametrize("ratio", [0.3, 1.0, 10.0])
def test_a_ratio_is_that_to_the_spread_of_the_reference(ratio):
    spread = Spread(layer=4.0, unit=0.5)
    assert added(GaussianNoise(snr=ratio), signal(), spread).std() == pytest.approx(
        4 / ratio, rel=0.05
    )
    of_unit = added(GaussianNoise(unit_snr=ratio), signal(), spread).std()
    assert of_unit == pytest.approx(0.5 / ratio, rel=0.05)


def test_noise_is_the_same_however_the_signal_grows():
    spread = Spread(layer=1.0, unit=1.0)
    grown = signal() * np.array([1, 10, 100, 0.1], dtype=np.float32)[:, None, None]
    noise = added(GaussianNoise(snr=1.0), grown, spread)
    np.testing.assert_allclose(noise, added(GaussianNoise(snr=1.0), signal(), spread), atol=1e-3)


def test_noise_is_fresh_at_every_measurement():
    noise = added(GaussianNoise(sigma=1.0), np.zeros((2, 1000), dtype=np.float32))
    assert abs(np.corrcoef(noise)[0, 1]) < 0.16  # five standard errors


def test_a_ratio_without_a_reference_is_refused():
    for noise in (GaussianNoise(snr=1.0), GaussianNoise(unit_snr=1.0)):
        with pytest.raises(ValueError, match="needs a calibration"):
            noise.deviation(None)


def test_without_a_setting_nothing_is_added():
    clean = signal()
    assert (
        GaussianNoise().add(clean, GaussianNoise().deviation(None), np.random.default_rng(0))
        is clean
    )


def test_an_exploded_visit_does_not_spoil_the_others():
    clean = signal()
    clean[2, 0, 0] = np.inf
    noisy = GaussianNoise().add(clean, 1.0, np.random.default_rng(0))
    assert np.isfinite(noisy[[0, 1, 3]]).all()
