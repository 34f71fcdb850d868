"""Geometry of a population's responses: dimensionality and dissimilarities of arrays.

Functions take any number of recordings at once, along leading axes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import jaxtyping as jt
import numpy as np

Responses = jt.Float[np.ndarray, "*lead stimulus unit"]
Dissimilarity = jt.Float[np.ndarray, "*lead stimulus stimulus"]

FEWEST_PAIRS: Final = 3  # through two points any correlation is perfect


def participation_ratio(responses: Responses) -> jt.Float[np.ndarray, "*lead"]:
    """Return the participation ratio over stimuli, defined in :mod:`layer_measures`."""
    n_stimuli, n_units = responses.shape[-2:]
    if not n_units or not n_stimuli:
        return np.full(responses.shape[:-2], np.nan)
    deviation, _ = _deviation_of_known(responses, axis=-2)
    largest = np.abs(deviation).max((-2, -1), keepdims=True)
    deviation /= np.where(largest > 0, largest, 1.0)  # so that powers do not overflow
    if n_stimuli < n_units:
        deviation = deviation.swapaxes(-2, -1)
    # Sums of powers of eigenvalues are traces, which are equal for both products of the axes.
    covariance = deviation.swapaxes(-2, -1) @ deviation
    trace = np.trace(covariance, axis1=-2, axis2=-1)
    squares = (covariance**2).sum((-2, -1))
    varies = squares > 0
    ratio = np.where(varies, trace, np.nan) ** 2 / np.where(varies, squares, 1.0)
    return np.asarray(ratio)


def correlation_distance(responses: Responses) -> Dissimilarity:
    """Return 1 - Pearson correlation over units; NaN if all responses to a stimulus are equal."""
    deviation, _ = _deviation_of_known(responses, axis=-1)
    length = np.sqrt((deviation**2).sum(-1, keepdims=True))
    direction = deviation / np.where(length > 0, length, np.nan)
    return _symmetric(1 - np.clip(direction @ direction.swapaxes(-2, -1), -1, 1))


def euclidean_distance(responses: Responses) -> Dissimilarity:
    """Return the Euclidean distance over units; NaN for a stimulus with a missing response."""
    # Distances do not depend on the origin; small numbers lose less in the difference below.
    near, there = _deviation_of_known(responses, axis=-2)
    product = near @ near.swapaxes(-2, -1)
    square = np.diagonal(product, axis1=-2, axis2=-1)
    distance = np.sqrt(np.maximum(square[..., None] + square[..., None, :] - 2 * product, 0))
    both = there & there.swapaxes(-2, -1)
    return _symmetric(np.where(both, distance, np.nan))


METRICS: Final[Mapping[str, Callable[[np.ndarray], np.ndarray]]] = {
    "correlation": correlation_distance,
    "euclidean": euclidean_distance,
}


def dissimilarity(responses: Responses, metric: str = "correlation") -> Dissimilarity:
    """Return the dissimilarity of the responses to any two stimuli, by one of ``METRICS``."""
    if not responses.shape[-1]:
        n_stimuli = responses.shape[-2]
        return np.full((*responses.shape[:-1], n_stimuli), np.nan)  # without units: unknown, not 0
    return METRICS[metric](responses)


def similarity_of_visits(
    responses: jt.Float[np.ndarray, "*lead visit stimulus unit"], metric: str = "correlation"
) -> jt.Float[np.ndarray, "*lead visit visit"]:
    """Return the correlation of the dissimilarities of any two visits, above the diagonal."""
    matrices = dissimilarity(responses, metric)
    above = np.triu_indices(matrices.shape[-1], 1)
    return correlations(matrices[..., above[0], above[1]])


def correlations(
    rows: jt.Float[np.ndarray, "*lead row column"],
) -> jt.Float[np.ndarray, "*lead row row"]:
    """Return the Pearson correlation of any two rows over the columns that both have.

    NaN if they share fewer than ``FEWEST_PAIRS`` columns, or one does not vary over those.
    """
    there = np.isfinite(rows)
    deviation = _deviation(rows, there, axis=-1)
    if rows.shape[-1]:
        largest = np.abs(deviation).max(-1, keepdims=True)
        deviation = deviation / np.where(largest > 0, largest, 1.0)
    known = there.astype(np.float64)
    across = known.swapaxes(-2, -1)
    shared = known @ across
    count = np.maximum(shared, 1)
    # Element (i, j) is of row i over the columns shared with row j.
    total = deviation @ across
    square = deviation**2 @ across
    product = deviation @ deviation.swapaxes(-2, -1)
    variance = square - total**2 / count
    varies = variance > 1e-12 * np.maximum(square, 1e-300)  # smaller values are rounding errors
    usable = (shared >= FEWEST_PAIRS) & varies & varies.swapaxes(-2, -1)
    scale = np.sqrt(np.where(usable, variance * variance.swapaxes(-2, -1), 1.0))
    found = (product - total * total.swapaxes(-2, -1) / count) / scale
    return np.asarray(np.where(usable, np.clip(found, -1, 1), np.nan))


def _deviation_of_known(responses: Responses, *, axis: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the deviation of stimuli without missing responses, and which stimuli these are."""
    there = np.isfinite(responses).all(-1, keepdims=True)
    return _deviation(responses, np.broadcast_to(there, responses.shape), axis=axis), there


def _deviation(
    values: jt.Float[np.ndarray, "*shape"], there: jt.Bool[np.ndarray, "*shape"], *, axis: int
) -> jt.Float[np.ndarray, "*shape"]:
    """Return the difference from the mean along an axis: exactly 0 where constant or missing."""
    if not values.shape[axis]:
        return np.zeros(values.shape)
    low = np.where(there, values, np.inf).min(axis, keepdims=True)
    high = np.where(there, values, -np.inf).max(axis, keepdims=True)
    count = np.maximum(there.sum(axis, keepdims=True), 1)
    mean = np.where(there, values, 0.0).sum(axis, keepdims=True) / count
    # Rounding makes the mean of equal numbers differ from them; the difference is set to 0.
    return np.where(there & (high > low), values - mean, 0.0)


def _symmetric(distance: Dissimilarity) -> Dissimilarity:
    """Return distances without rounding errors: symmetric, and 0 on the diagonal."""
    distance = (distance + distance.swapaxes(-2, -1)) / 2
    each = np.arange(distance.shape[-1])
    own = distance[..., each, each]
    distance[..., each, each] = np.where(np.isnan(own), np.nan, 0.0)
    return distance
