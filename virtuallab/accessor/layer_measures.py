"""Measures of each layer's population, for every subject and visit, as labelled arrays."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import xarray as xr

from virtuallab.accessor import geometry
from virtuallab.accessor.variables import (
    STIMULUS_2,
    VISIT_2,
    coords_along,
    layers,
    read_block,
    response_units,
    responses,
    subject_blocks,
    unit_layers,
)
from virtuallab.errors import UserError, suggest
from virtuallab.vocabulary import LAYER, STIMULUS, SUBJECT, UNIT, VISIT, describe

_OF_STIMULI = ("stimulus_label", "stimulus_index")


def participation_ratio(recording: xr.Dataset) -> xr.DataArray:
    r"""Number of dimensions in which each layer's responses vary.

    .. math:: D = \frac{(\sum_i \lambda_i)^2}{\sum_i \lambda_i^2}

    with :math:`\lambda` the eigenvalues of the covariance of the units' responses over stimuli: 1
    if all variation is one pattern, the number of units if they vary independently and alike. It is
    at most the number of stimuli less one, and grows with the number of units recorded: compare
    layers of equal numbers.

    Returns
    -------
    xr.DataArray
        Dims ([subject], [visit], layer), without unit. NaN in a layer without recorded units, or
        whose responses do not vary. Stimuli with a missing response are left out.

    References
    ----------
    Gao et al. 2017, "A theory of multineuronal dimensionality, dynamics and measurement".
    """
    found = _measured(recording, geometry.participation_ratio, (STIMULUS, UNIT), ())
    attrs = {"units": "1", "long_name": "participation ratio"}
    return found.rename("participation_ratio").assign_attrs(attrs)


def rdm(recording: xr.Dataset, metric: str = "correlation") -> xr.DataArray:
    """Representational dissimilarity matrices: the responses to any two stimuli compared.

    Their size is the square of the number of stimuli, for each subject, visit and layer: of a large
    recording select a part first.

    Parameters
    ----------
    metric : "correlation" or "euclidean"
        1 - Pearson correlation over the units of a layer (0 alike, 1 unrelated, 2 opposite), or
        Euclidean distance in units of the responses.

    Returns
    -------
    xr.DataArray
        Dims ([subject], [visit], layer, stimulus, stimulus_2), with the class of the stimulus among
        the coordinates if it is known. Symmetric, 0 on the diagonal. NaN for a stimulus with a
        missing response, and in correlations also for one to which all units respond alike, as in
        layers of one unit.

    Raises
    ------
    UserError
        If there is no such metric.

    References
    ----------
    Kriegeskorte et al. 2008, "Representational similarity analysis - connecting the branches of
    systems neuroscience".
    """
    check_metric(metric)
    found = _measured(
        recording,
        lambda values: geometry.dissimilarity(values, metric),
        (STIMULUS, UNIT),
        (STIMULUS, STIMULUS_2),
        # As precise as the responses: these are by far the largest results.
        dtype=np.result_type(responses(recording).dtype, np.float32),
    )
    found = _with_second(found, recording, STIMULUS, STIMULUS_2)
    shown = {
        name: recording[name].variable
        for name in _OF_STIMULI
        if name in recording and set(recording[name].dims) <= set(found.dims)
    }
    units = {"correlation": "1", "euclidean": response_units(recording)}[metric]
    kind = {"correlation": "1 - correlation", "euclidean": "Euclidean distance"}[metric]
    attrs = {"units": units, "long_name": f"dissimilarity, {kind}", "metric": metric}
    return found.rename("rdm").assign_coords(shown).assign_attrs(attrs)


def rdm_similarity(recording: xr.Dataset, metric: str = "correlation") -> xr.DataArray:
    """Representational drift: the dissimilarities at any two visits compared.

    Pearson correlation between the upper triangles of the two visits' matrices, as in :meth:`rdm`,
    over the pairs of stimuli that are known at both. Units may differ between the visits.

    Parameters
    ----------
    metric : "correlation" or "euclidean"
        As in :meth:`rdm`.

    Returns
    -------
    xr.DataArray
        Dims ([subject], layer, visit, visit_2), without unit: 1 where nothing changed, 0 where
        nothing is left. NaN if fewer than three pairs are known at both, or all are alike.

    Raises
    ------
    UserError
        If there is no such metric, or no axis of visits.

    References
    ----------
    As :meth:`rdm`.
    """
    check_metric(metric)
    found = _measured(
        recording,
        lambda values: geometry.similarity_of_visits(values, metric),
        (VISIT, STIMULUS, UNIT),
        (VISIT, VISIT_2),
    )
    found = _with_second(found, recording, VISIT, VISIT_2)
    attrs = {"units": "1", "long_name": "correlation of dissimilarities", "metric": metric}
    return found.rename("rdm_similarity").assign_attrs(attrs)


def check_metric(metric: str) -> None:
    """Raise a UserError if there is no such metric."""
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

    The measure turns an array whose last axes are ``reads`` into one whose last are ``gives``.
    """
    activity = responses(recording, *reads)
    first = [str(dim) for dim in activity.dims if dim not in reads]
    dims = (*first, LAYER, *gives)
    names, of_unit = layers(recording), unit_layers(recording)
    parts = []
    growth = 1 + activity.sizes[STIMULUS] // max(activity.sizes[UNIT], 1)
    for block in subject_blocks(activity, growth):
        values = read_block(activity, block, (*first, *reads))
        each = [measure(values[..., of_unit == n]).astype(dtype or np.float64) for n in names]
        parts.append(np.stack(each, axis=len(first)))
    joined = parts[0] if len(parts) == 1 else np.concatenate(parts, axis=first.index(SUBJECT))
    return xr.DataArray(joined, coords_along(recording, dims), dims)


def _with_second(
    found: xr.DataArray, recording: xr.Dataset, name: str, second: str
) -> xr.DataArray:
    """Give the second axis of the same things the coordinate of the first."""
    if name not in recording.coords:
        return found
    attrs = {**describe(name), "long_name": f"{name} compared with"}
    return found.assign_coords({second: ((second,), recording[name].to_numpy(), attrs)})
