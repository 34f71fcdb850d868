"""Counts are whole numbers with the stated mean and variance, and nothing else is drawn."""

from __future__ import annotations

import numpy as np
import pytest

from virtuallab.probes.readouts.counts import draw_counts

MANY = 200_000


def counts(mean: float, dispersion: float | np.ndarray, seed: int = 1) -> np.ndarray:
    return draw_counts(np.full(MANY, mean), dispersion, np.random.default_rng(seed))


@pytest.mark.parametrize("mean", [0.3, 2.0, 37.4, 5000.0])
@pytest.mark.parametrize("dispersion", [0.35, 0.8, 1.0, 1.5, 6.0])
def test_mean_and_variance_are_the_stated_ones(mean: float, dispersion: float) -> None:
    found = counts(mean, dispersion)
    np.testing.assert_array_equal(found, np.round(found))
    assert found.min() >= 0
    variance = mean * max(dispersion, 1 - mean)  # whole numbers vary by as much
    # Five standard errors; that of the variance is of the fourth moment that was drawn.
    assert abs(found.mean() - mean) < 5 * np.sqrt(variance / MANY)
    squares = (found - mean) ** 2
    assert abs(squares.mean() - variance) < 5 * squares.std() / np.sqrt(MANY)


def test_a_regularity_of_its_own_for_each_count() -> None:
    ratios = np.tile([0.5, 1.0, 3.0], (MANY, 1))
    found = draw_counts(np.full(ratios.shape, 20.0), ratios, np.random.default_rng(1))
    np.testing.assert_allclose(found.var(0) / 20, [0.5, 1.0, 3.0], rtol=0.02)


@pytest.mark.parametrize("dispersion", [0.0, 0.5, 1.0, 2.0])
def test_what_cannot_be_counted_stays_and_nothing_is_drawn_of_nothing(dispersion: float) -> None:
    means = np.array([0.0, np.nan, np.inf, 1e30])
    found = draw_counts(means, dispersion, np.random.default_rng(1))
    np.testing.assert_array_equal(found, means)


@pytest.mark.parametrize("dispersion", [0.0, 0.5, 1 - 1e-12, 1 + 1e-12, 100.0])
def test_large_counts_stay_near_their_mean(dispersion: float) -> None:
    found = draw_counts(np.array([9e14, 1e9]), dispersion, np.random.default_rng(1))
    np.testing.assert_allclose(found, [9e14, 1e9], rtol=2e-3)


def test_poisson_counts_are_those_of_the_generator() -> None:
    stream = np.random.default_rng(1)
    np.testing.assert_array_equal(counts(3.0, 1.0), stream.poisson(np.full(MANY, 3.0)))
