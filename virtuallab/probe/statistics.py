r"""The 45 published statistics of an observable, by their published names.

A name is ``{measure}{function}_{statistic}``: ``actabs_mean`` is the mean over units of the absolute
response to an image, averaged over images. Everything is computed in double precision; where the
publication dropped a statistic that was not finite in some network, a flag says why instead.

References
----------
Nayebi et al. 2020, "Identifying Learning Rules From Neural Network Observables", section 3 and the
released code, whose definitions these are: population variance, nearest-rank quantiles, Pearson's
second skewness, kurtosis of 3 for a Gaussian.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from jaxtyping import Float

from virtuallab.vocabulary import ACTIVITY, ACTIVITY_CHANGE, WEIGHTS

FUNCTIONS: Final = ("abs", "raw", "sq")
KERNELS: Final = ("kurtosis", "mean", "median", "norm", "skew", "thirdquartile", "var")
_MEASURES: Final = {"weight": WEIGHTS, "act": ACTIVITY}

STATISTICS: Final[tuple[str, ...]] = (
    *(f"{measure}{f}_{kernel}" for measure in _MEASURES for f in FUNCTIONS for kernel in KERNELS),
    *(f"gradavg{f}_id" for f in FUNCTIONS),
)
OBSERVABLE_OF: Final[dict[str, str]] = {
    name: next((o for m, o in _MEASURES.items() if name.startswith(m)), ACTIVITY_CHANGE)
    for name in STATISTICS
}
# Those that were finite in every published network, and so were given to the classifiers.
ADMISSIBLE: Final[tuple[str, ...]] = tuple(
    name
    for name in STATISTICS
    if name.startswith("gradavg")
    or name in {"weightsq_mean", "weightsq_median", "weightsq_thirdquartile"}
    or (
        name.split("_")[0] in {"weightabs", "weightraw"}
        and name.split("_")[1] in {"mean", "median", "norm", "thirdquartile", "var"}
    )
    or (
        name.split("_")[0] in {"actabs", "actraw"}
        and name.split("_")[1] in {"mean", "median", "norm", "thirdquartile"}
    )
)

Values = Float[np.ndarray, "*sample entry"]
Summary = Float[np.ndarray, "*sample"]


def rank(entries: int, percent: float) -> int:
    """Position of a nearest-rank quantile among ascending values.

    As published: the rank counts from the largest value, and halves round to even.
    """
    return entries - 1 - round((entries - 1) * (1 - percent / 100))


def quantiles(values: Values) -> tuple[Summary, Summary]:
    """Median and third quartile over the last axis."""
    middle, upper = rank(values.shape[-1], 50), rank(values.shape[-1], 75)
    ordered = np.partition(values, sorted({middle, upper}), axis=-1)
    return ordered[..., middle], ordered[..., upper]


def moments(values: Values) -> tuple[Summary, Summary, Summary]:
    """Mean, population variance and fourth central moment over the last axis."""
    mean = values.mean(-1)
    centred = values - mean[..., None]
    np.multiply(centred, centred, out=centred)
    entries = values.shape[-1]
    fourth = np.einsum("...i,...i->...", centred, centred) / entries
    return mean, centred.mean(-1), fourth


def summaries(values: Values) -> dict[str, Summary]:
    """Return every statistic of one set of entries, for the entries, their sizes, their squares.

    Parameters
    ----------
    values : array, (..., entry)

    Returns
    -------
    dict
        ``{function}_{statistic}`` to array (...): float64, not finite where it is not defined.
    """
    exact = values.astype(np.float64)
    squared = exact * exact
    raw_quantiles = quantiles(exact)
    raw = _seven(moments(exact), raw_quantiles, np.sqrt(squared.sum(-1)))
    if exact.size and exact.min() >= 0:
        sizes, size_quantiles = raw, raw_quantiles
    else:
        absolute = np.abs(exact)
        size_quantiles = quantiles(absolute)
        sizes = _seven(moments(absolute), size_quantiles, raw["norm"])
    # Squaring keeps the order of sizes, so a quantile of squares is the square of a quantile.
    square_quantiles = (size_quantiles[0] ** 2, size_quantiles[1] ** 2)
    fourth_power = np.sqrt(np.einsum("...i,...i->...", squared, squared))
    squares = _seven(moments(squared), square_quantiles, fourth_power)
    return {
        f"{f}_{kernel}": found[kernel]
        for f, found in zip(FUNCTIONS, (sizes, raw, squares), strict=True)
        for kernel in KERNELS
    }


def _seven(
    powers: tuple[Summary, Summary, Summary], ranks: tuple[Summary, Summary], norm: Summary
) -> dict[str, Summary]:
    mean, var, fourth = powers
    median, third = ranks
    with np.errstate(divide="ignore", invalid="ignore"):
        # A constant set has no spread to divide by; rounding may leave a trace of one.
        spread = np.where(var > 1e-24 * mean * mean, var, 0.0)
        skew = np.where(spread > 0, 3 * (mean - median) / np.sqrt(spread), np.nan)
        kurtosis = np.where(spread > 0, fourth / (spread * spread), np.nan)
    return {
        "kurtosis": kurtosis,
        "mean": mean,
        "median": median,
        "norm": norm,
        "skew": skew,
        "thirdquartile": third,
        "var": var,
    }


def over_images(values: Float[np.ndarray, "visit stimulus"]) -> Float[np.ndarray, " visit"]:
    """Mean over the images for which a statistic is defined; NaN where it is for none."""
    defined = np.isfinite(values)
    count = defined.sum(-1)
    total = np.where(defined, values, 0.0).sum(-1)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def names_of(observable: str) -> Sequence[str]:
    """Return the published statistics of an observable."""
    return [name for name in STATISTICS if OBSERVABLE_OF[name] == observable]
