r"""The 45 published statistics of an observable, by their published names.

A name is ``{measure}{function}_{statistic}``: ``actabs_mean`` is the mean over units of the
absolute response to an image, averaged over images. Everything is computed in double precision;
where the publication dropped a statistic that was not finite in some network, a flag says why
instead.

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

STATISTICS: Final[tuple[str, ...]] = (
    *(f"{measure}{f}_{kernel}" for measure in _MEASURES for f in FUNCTIONS for kernel in KERNELS),
    *(f"gradavg{f}_id" for f in FUNCTIONS),
)
OBSERVABLE_OF: Final[dict[str, str]] = {
    name: next((o for m, o in _MEASURES.items() if name.startswith(m)), ACTIVITY_CHANGE)
    for name in STATISTICS
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
    name for name in STATISTICS if name.split("_")[1] in _FINITE.get(name.split("_")[0], ())
)

Values = jt.Float[np.ndarray, "*sample entry"]
Summary = jt.Float[np.ndarray, "*sample"]


def units_of(statistic: str, measured: str) -> str:
    """Units of a statistic of an observable that is measured in some units.

    >>> units_of("actabs_mean", "spikes/s"), units_of("actsq_var", "spikes/s")
    ('spikes/s', '(spikes/s)^4')
    >>> units_of("actraw_kurtosis", "dF/F"), units_of("weightsq_var", "1")
    ('1', '1')
    """
    function, kernel = statistic.split("_")
    if measured == "1" or kernel in ("kurtosis", "skew"):
        return "1"
    power = (2 if function.endswith("sq") else 1) * (2 if kernel == "var" else 1)
    return measured if power == 1 else f"({measured})^{power}"


def rank(entries: int, percent: int) -> int:
    """Position of a nearest-rank quantile among ascending values.

    As published: the rank counts from the largest value, and halves round to even.
    """
    return entries - 1 - round((entries - 1) * (1 - percent / 100))


def quantiles(values: Values) -> tuple[Summary, Summary]:
    """Median and third quartile over the last axis."""
    # numpy sorts short rows of single precision with vector instructions: a third of the time of a
    # partition at two places.
    ordered = np.sort(values, axis=-1)
    middle, upper = (ordered[..., rank(values.shape[-1], percent)] for percent in (50, 75))
    return middle.astype(np.float64), upper.astype(np.float64)


def moments(values: Values) -> tuple[Summary, Summary, Summary]:
    """Mean, population variance and fourth central moment over the last axis."""
    mean = values.mean(-1)
    # Two passes: sums of powers would lose the spread of responses far from zero.
    squares = values - mean[..., None]
    np.multiply(squares, squares, out=squares)
    return mean, squares.mean(-1), np.vecdot(squares, squares) / values.shape[-1]


@np.errstate(invalid="ignore", over="ignore")
def summaries(values: Values) -> dict[str, Summary]:
    """Return every statistic of one set of entries, for the entries, their sizes, their squares.

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


def summaries_of_observed(
    values: jt.Float[np.ndarray, "visit stimulus unit"],
    observed: jt.Bool[np.ndarray, "stimulus unit"],
) -> dict[str, jt.Float[np.ndarray, "visit stimulus"]]:
    """Return every statistic over the units that were observed with each stimulus.

    Parameters
    ----------
    values : array, (visit, stimulus, unit)
    observed : array of bool, (stimulus, unit)
        At least one unit for each stimulus.
    """
    each = [summaries(values[:, place, mine]) for place, mine in enumerate(observed)]
    return {name: np.stack([found[name] for found in each], axis=1) for name in each[0]}


_BLOCK: Final = 65_536  # entries


def _block(values: Values) -> dict[str, Summary]:
    exact = values.astype(np.float64)
    squared = exact * exact
    raw_quantiles = quantiles(values)
    raw = _seven(moments(exact), raw_quantiles, np.sqrt(squared.sum(-1)))
    if values.min() >= 0:  # as after a rectifier
        sizes, size_quantiles = raw, raw_quantiles
    else:
        size_quantiles = quantiles(np.abs(values))
        sizes = _seven(moments(np.abs(exact)), size_quantiles, raw["norm"])
    # Squaring keeps the order of sizes, so a quantile of squares is the square of a quantile.
    square_quantiles = (size_quantiles[0] ** 2, size_quantiles[1] ** 2)
    squares = _seven(moments(squared), square_quantiles, np.sqrt(np.vecdot(squared, squared)))
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


def over_images(values: jt.Float[np.ndarray, "visit stimulus"]) -> jt.Float[np.ndarray, " visit"]:
    """Mean over the images for which a statistic is defined; NaN where it is for none."""
    defined = np.isfinite(values)
    count = defined.sum(-1)
    total = np.where(defined, values, 0.0).sum(-1)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)
