r"""The 45 published statistics of an observable, by their published names.

A name is ``{measure}{function}_{statistic}``: ``actabs_mean`` is the mean over units of the
absolute response to an image, averaged over images. All are computed in double precision. The
publication dropped statistics that were not finite in some network; here they are NaN, and a flag
gives the reason.

References
----------
Nayebi et al. 2020, "Identifying Learning Rules From Neural Network Observables", section 3 and the
released code, whose definitions these are: population variance, nearest-rank quantiles, Pearson's
second skewness, kurtosis of 3 for a Gaussian.
"""

from __future__ import annotations

from typing import Final

import jaxtyping as jt
import numpy as np

from virtuallab.vocabulary import ACTIVITY, ACTIVITY_CHANGE, WEIGHTS

FUNCTIONS: Final = ("abs", "raw", "sq")
KERNELS: Final = ("kurtosis", "mean", "median", "norm", "skew", "thirdquartile", "var")
_MEASURES: Final = {"weight": WEIGHTS, "act": ACTIVITY}

PUBLISHED_STATISTICS: Final[tuple[str, ...]] = (
    *(f"{measure}{f}_{kernel}" for measure in _MEASURES for f in FUNCTIONS for kernel in KERNELS),
    *(f"gradavg{f}_id" for f in FUNCTIONS),
)
OBSERVABLE_OF: Final[dict[str, str]] = {
    name: next((o for m, o in _MEASURES.items() if name.startswith(m)), ACTIVITY_CHANGE)
    for name in PUBLISHED_STATISTICS
}
# Those that were finite in every published network, and so were given to the classifiers.
_FINITE: Final = {
    "weightabs": ("mean", "median", "norm", "thirdquartile", "var"),
    "weightraw": ("mean", "median", "norm", "thirdquartile", "var"),
    "weightsq": ("mean", "median", "thirdquartile"),
    "actabs": ("mean", "median", "norm", "thirdquartile"),
    "actraw": ("mean", "median", "norm", "thirdquartile"),
    **{f"gradavg{f}": ("id",) for f in FUNCTIONS},
}
ADMISSIBLE: Final[tuple[str, ...]] = tuple(
    name
    for name in PUBLISHED_STATISTICS
    if name.split("_")[1] in _FINITE.get(name.split("_")[0], ())
)

Values = jt.Float[np.ndarray, "*sample entry"]
Summary = jt.Float[np.ndarray, "*sample"]


def statistic_units(statistic: str, measured: str) -> str:
    """Units of a statistic of an observable with these units.

    >>> statistic_units("actabs_mean", "spikes/s"), statistic_units("actsq_var", "spikes/s")
    ('spikes/s', '(spikes/s)^4')
    >>> statistic_units("actraw_kurtosis", "dF/F"), statistic_units("weightsq_var", "1")
    ('1', '1')
    """
    function, kernel = statistic.split("_")
    if measured == "1" or kernel in ("kurtosis", "skew"):
        return "1"
    power = (2 if function.endswith("sq") else 1) * (2 if kernel == "var" else 1)
    return measured if power == 1 else f"({measured})^{power}"


def nearest_rank(entries: int, percent: int) -> int:
    """Position of a nearest-rank quantile among so many ascending values.

    As published, the rank counts from the largest value, and halves round to even.
    """
    return entries - 1 - round((entries - 1) * (1 - percent / 100))


def _quantiles(values: Values) -> tuple[Summary, Summary]:
    """Median and third quartile over the last axis."""
    # numpy sorts short rows of single precision with vector instructions: a third of the time of a
    # partition at two places.
    ordered = np.sort(values, axis=-1)
    middle, upper = (ordered[..., nearest_rank(values.shape[-1], percent)] for percent in (50, 75))
    return middle.astype(np.float64), upper.astype(np.float64)


def _moments(values: Values) -> tuple[Summary, Summary, Summary]:
    """Mean, population variance and fourth central moment over the last axis."""
    mean = values.mean(-1)
    # Two passes: sums of powers would lose the spread of responses far from zero.
    squares = values - mean[..., None]
    np.multiply(squares, squares, out=squares)
    return mean, squares.mean(-1), np.vecdot(squares, squares) / values.shape[-1]


@np.errstate(invalid="ignore", over="ignore")
def summary_statistics(values: Values) -> dict[str, Summary]:
    """Every statistic of the entries, of their absolute values and of their squares.

    Parameters
    ----------
    values : array, (..., entry)
        At least one entry.

    Returns
    -------
    dict
        ``{function}_{statistic}`` to array (...): float64, NaN where it is not defined.
    """
    rows = values.reshape(-1, values.shape[-1])
    # A block and its squares stay in the processor's cache.
    step = max(1, _BLOCK // rows.shape[-1])
    blocks = [_block(rows[start : start + step]) for start in range(0, len(rows), step)]
    return {
        name: np.concatenate([block[name] for block in blocks]).reshape(values.shape[:-1])
        for name in blocks[0]
    }


def summary_statistics_of_observed(
    values: jt.Float[np.ndarray, "visit stimulus unit"],
    observed: jt.Bool[np.ndarray, "stimulus unit"],
) -> dict[str, jt.Float[np.ndarray, "visit stimulus"]]:
    """Every statistic over the units that were observed with each stimulus, (visit, stimulus).

    Parameters
    ----------
    values : array, (visit, stimulus, unit)
    observed : array of bool, (stimulus, unit)
        At least one unit for each stimulus.
    """
    each = [summary_statistics(values[:, place, mine]) for place, mine in enumerate(observed)]
    return {name: np.stack([found[name] for found in each], axis=1) for name in each[0]}


_BLOCK: Final = 65_536  # entries


def _block(values: Values) -> dict[str, Summary]:
    exact = values.astype(np.float64)
    squared = exact * exact
    raw_quantiles = _quantiles(values)
    raw = _seven(_moments(exact), raw_quantiles, np.sqrt(squared.sum(-1)))
    if values.min() >= 0:  # as after a rectifier
        sizes, size_quantiles = raw, raw_quantiles
    else:
        size_quantiles = _quantiles(np.abs(values))
        sizes = _seven(_moments(np.abs(exact)), size_quantiles, raw["norm"])
    # Squaring keeps the order of sizes, so a quantile of squares is the square of a quantile.
    square_quantiles = (size_quantiles[0] ** 2, size_quantiles[1] ** 2)
    squares = _seven(_moments(squared), square_quantiles, np.sqrt(np.vecdot(squared, squared)))
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
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        # A constant set has no spread to divide by; rounding may leave a trace of one.
        spread = np.where(var > _ROUNDING**2 * mean * mean, var, np.nan)
        skew = 3 * (mean - median) / np.sqrt(spread)
        kurtosis = fourth / (spread * spread)
    return {
        "kurtosis": kurtosis,
        "mean": mean,
        "median": median,
        "norm": norm,
        "skew": skew,
        "thirdquartile": third,
        "var": var,
    }


_ROUNDING: Final = 1e-12  # of the mean; single precision cannot hold entries that lie nearer


def mean_over_images(
    values: jt.Float[np.ndarray, "visit stimulus"],
) -> jt.Float[np.ndarray, " visit"]:
    """Mean over the images for which a statistic is defined; NaN where there are none."""
    defined = np.isfinite(values)
    count = defined.sum(-1)
    total = np.where(defined, values, 0.0).sum(-1)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)
