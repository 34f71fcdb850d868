"""Measures of each layer's population, for every subject and visit, as labelled arrays."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import xarray as xr

from virtuallab.accessor import geometry
from virtuallab.accessor.variables import (
    STIMULUS_2,
    VISIT_2,
    block_of,
    blocks,
    coords_of,
    layers,
    owners,
    response_units,
    responses,
)
from virtuallab.errors import UserError, suggest
from virtuallab.vocabulary import LAYER, STIMULUS, SUBJECT, UNIT, VISIT, describe

_OF_STIMULI = ("stimulus_label", "stimulus_index")


def participation_ratio(recording: xr.Dataset) -> xr.DataArray:
    """Effective number of dimensions, dims (..., layer)."""
    found = _measured(recording, geometry.participation_ratio, (STIMULUS, UNIT), ())
    attrs = {"units": "1", "long_name": "participation ratio"}
    return found.rename("participation_ratio").assign_attrs(attrs)


def rdm(recording: xr.Dataset, metric: str) -> xr.DataArray:
    """Dissimilarity of any two stimuli, dims (..., layer, stimulus, stimulus_2)."""
    check_metric(metric)
    found = _measured(
        recording,
        lambda values: geometry.dissimilarity(values, metric),
        (STIMULUS, UNIT),
        (STIMULUS, STIMULUS_2),
        # As precise as the responses: these are by far the largest results.
        dtype=np.result_type(responses(recording).dtype, np.float32),
    )
    if STIMULUS in recording.coords:
        again = _second(recording, STIMULUS, STIMULUS_2, "stimulus compared with")
        found = found.assign_coords({STIMULUS_2: again})
    shown = {
        name: recording[name].variable
        for name in _OF_STIMULI
        if name in recording and set(recording[name].dims) <= set(found.dims)
    }
    attrs = {
        "correlation": {"units": "1", "long_name": "dissimilarity, 1 - correlation"},
        "euclidean": {
            "units": response_units(recording),
            "long_name": "dissimilarity, Euclidean distance",
        },
    }[metric]
    return found.rename("rdm").assign_coords(shown).assign_attrs(attrs, metric=metric)


def rdm_similarity(recording: xr.Dataset, metric: str) -> xr.DataArray:
    """Correlation of the dissimilarities at any two visits, dims (..., layer, visit, visit_2)."""
    check_metric(metric)
    found = _measured(
        recording,
        lambda values: geometry.similarity_of_visits(values, metric),
        (VISIT, STIMULUS, UNIT),
        (VISIT, VISIT_2),
    )
    if VISIT in recording.coords:
        again = _second(recording, VISIT, VISIT_2, "visit compared with")
        found = found.assign_coords({VISIT_2: again})
    attrs = {"units": "1", "long_name": "correlation of dissimilarities", "metric": metric}
    return found.rename("rdm_similarity").assign_attrs(attrs)


def check_metric(metric: str) -> None:
    """Refuse a metric that there is not.

    Raises
    ------
    UserError
    """
    if metric not in geometry.METRICS:
        hint = suggest(str(metric), geometry.METRICS)
        raise UserError(f"no dissimilarity is called {metric!r}. {hint}")


def _measured(
    recording: xr.Dataset,
    measure: Callable[[np.ndarray], np.ndarray],
    reads: Sequence[str],
    gives: Sequence[str],
    dtype: np.dtype | None = None,
) -> xr.DataArray:
    """Measure each layer on its own, a few subjects at a time.

    Parameters
    ----------
    recording : xr.Dataset
    measure : callable
        From an array whose last axes are ``reads`` to one whose last are ``gives``.
    """
    activity = responses(recording, *reads)
    first = [str(dim) for dim in activity.dims if dim not in reads]
    dims = (*first, LAYER, *gives)
    names, of = layers(recording), owners(recording)
    parts = []
    growth = 1 + activity.sizes[STIMULUS] // max(activity.sizes[UNIT], 1)
    for block in blocks(activity, growth):
        values = block_of(activity, block, (*first, *reads))
        each = [measure(values[..., of == name]).astype(dtype or np.float64) for name in names]
        parts.append(np.stack(each, axis=len(first)))
    joined = parts[0] if len(parts) == 1 else np.concatenate(parts, axis=first.index(SUBJECT))
    return xr.DataArray(joined, coords_of(recording, dims), dims)


def _second(recording: xr.Dataset, name: str, again: str, long_name: str) -> xr.Variable:
    attrs = {**describe(name), "long_name": long_name}
    return xr.Variable((again,), recording[name].to_numpy(), attrs)
