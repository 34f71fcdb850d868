"""Random numbers of spikes or photons with a given mean and a given ratio of variance to mean."""

from __future__ import annotations

from typing import Final

import numpy as np

# Larger counts are beyond the generator, and their noise is beyond single precision.
_MOST: Final = 1e15
_MOST_CHANCES: Final = 1e18  # of a binomial count, below the largest integer


def draw_counts(
    expected: np.ndarray, dispersion: float | np.ndarray, generator: np.random.Generator
) -> np.ndarray:
    r"""Independent whole numbers with these means; means that are not finite stay as they are.

    A dispersion :math:`\varphi` is the ratio of variance to mean. At 1 a count is Poisson. Above 1
    it is negative binomial: a Poisson count whose mean varies as a gamma distribution. Below 1 it
    is binomial: spikes at a limited number of chances. The binomial distribution of a mean
    :math:`\mu` is at one of two neighbouring whole numbers of chances, drawn so that the variance
    is exactly :math:`\varphi \mu`. No whole number can have a variance below
    :math:`\mu (1 - \mu)` where :math:`\mu < 1`, so there it is that.

    Parameters
    ----------
    expected : array of float
        Means, of any shape.
    dispersion : float or array of the same shape
        Not below 0.
    generator : numpy.random.Generator

    Returns
    -------
    array of float, of the same shape
    """
    countable = expected < _MOST  # false for NaN
    mean = np.where(countable, expected, 0)
    if np.ndim(dispersion) == 0 and dispersion == 1:
        return np.where(countable, generator.poisson(mean), expected)
    ratio = np.where(countable, dispersion, 1)
    for_rates, for_counts, for_chances, for_successes = generator.spawn(4)
    excess = np.where(ratio > 1, ratio - 1, 1)
    rates = np.where(ratio > 1, for_rates.gamma(mean / excess, excess), mean)
    counts = np.where(
        ratio < 1,
        _binomial(mean, np.minimum(ratio, 1), for_chances, for_successes),
        for_counts.poisson(rates),
    )
    return np.where(countable, counts, expected)


def _binomial(
    mean: np.ndarray,
    ratio: np.ndarray,
    for_chances: np.random.Generator,
    for_successes: np.random.Generator,
) -> np.ndarray:
    """Binomial counts with this mean and this ratio of variance to mean, at most 1."""
    with np.errstate(divide="ignore", invalid="ignore"):
        wanted = np.minimum(np.where(mean > 0, mean / (1 - ratio), 1.0), _MOST_CHANCES)
    fewer = np.maximum(np.floor(wanted), np.ceil(mean)).clip(1)
    # The variance is linear in 1 / chances, whose mean has to be 1 / wanted.
    more = for_chances.random(mean.shape) < (fewer + 1) * (1 - fewer / wanted)
    chances = fewer + more
    successes: np.ndarray = for_successes.binomial(chances.astype(np.int64), mean / chances)
    return successes
