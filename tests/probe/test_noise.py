"""Measurement noise."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from virtuallab.probe.noise import Noise


def signal(scale: float = 1.0, seed: int = 3) -> np.ndarray:
    found = scale * np.random.default_rng(seed).standard_normal((4, 50, 60)) + 7
    return found.astype(np.float32)


@settings(max_examples=15, deadline=None)
@given(st.floats(0.01, 10), st.integers(0, 2**32))
def test_absolute_noise_has_the_moments_asked_for(sigma, seed):
    clean = signal()
    noise = Noise(sigma=sigma).added(clean, clean, np.random.default_rng(seed)) - clean
    # 12,000 draws: the mean is known to 0.9 %, the deviation to 0.65 %; five of either.
    assert abs(noise.mean() / sigma) < 0.046
    assert abs(noise.std() / sigma - 1) < 0.033


@pytest.mark.parametrize("snr", [0.3, 1.0, 10.0])
def test_a_ratio_is_that_of_the_deviations_at_each_visit(snr):
    clean = signal() * np.array([1, 10, 100, 0.1], dtype=np.float32)[:, None, None]
    noise = Noise(snr=snr).added(clean, clean, np.random.default_rng(0)) - clean
    found = clean.std((1, 2)) / noise.std((1, 2))
    np.testing.assert_allclose(found, snr, rtol=0.05)


def test_a_ratio_at_one_visit_tells_nothing_of_the_next():
    clean = signal()
    grown = clean.copy()
    grown[1:] *= 50
    first, second = (
        Noise(snr=1.0).added(values, values, np.random.default_rng(0))[0]
        for values in (clean, grown)
    )
    np.testing.assert_array_equal(first, second)


def test_noise_is_fresh_at_every_measurement():
    silent = np.zeros((2, 1000), dtype=np.float32)
    noise = Noise(sigma=1.0).added(silent, silent, np.random.default_rng(0))
    assert abs(np.corrcoef(noise)[0, 1]) < 0.16  # five standard errors


def test_what_is_constant_gets_no_noise_from_a_ratio():
    constant = np.full((2, 30), 4, dtype=np.float32)
    found = Noise(snr=0.1).added(constant, constant, np.random.default_rng(0))
    np.testing.assert_array_equal(found, constant)


def test_without_a_setting_nothing_is_added():
    clean = signal()
    assert Noise().added(clean, clean, np.random.default_rng(0)) is clean


def test_an_exploded_visit_does_not_spoil_the_others():
    clean = signal()
    clean[2, 0, 0] = np.inf
    noisy = Noise(snr=1.0).added(clean, clean, np.random.default_rng(0))
    assert np.isfinite(noisy[[0, 1, 3]]).all()


def test_a_deviation_from_a_sample_is_that_of_the_whole_layer():
    clean = signal()
    sample = clean[:, :, :1]
    noise = Noise(snr=1.0).added(0 * sample, 9 * clean, np.random.default_rng(0))
    assert noise.std() == pytest.approx(9, rel=0.2)
