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
    r"""Return the participation ratio, the dimensionality of each layer's responses.

    .. math:: D = \frac{(\sum_i \lambda_i)^2}{\sum_i \lambda_i^2}

    with :math:`\lambda` the eigenvalues of the covariance of the units' responses over stimuli: 1
    if all variation is along one direction, the number of units if they vary independently with
    equal variance. It is at most the number of stimuli minus one, and grows with the number of
    recorded units: compare layers with equal numbers of units.

    Returns
    -------
    xr.DataArray
        Dims ([subject], [visit], layer), without unit. NaN for a layer without recorded units or
        with constant responses. Stimuli with a missing response are left out.

    References
    ----------
    Gao et al. 2017, "A theory of multineuronal dimensionality, dynamics and measurement".
    """
    found = _measured(recording, geometry.participation_ratio, (STIMULUS, UNIT), ())
    attrs = {"units": "1", "long_name": "participation ratio"}
    return found.rename("participation_ratio").assign_attrs(attrs)


def rdm(recording: xr.Dataset, metric: str = "correlation") -> xr.DataArray:
    """Return representational dissimilarity matrices (RDMs) over pairs of stimuli.

    Their size is the square of the number of stimuli, for each subject, visit and layer: select a
    part of a large recording first.

    Parameters
    ----------
    metric : "correlation" or "euclidean"
        1 - Pearson correlation over the units of a layer (0 equal, 1 unrelated, 2 opposite), or
        Euclidean distance in units of the responses.

    Returns
    -------
    xr.DataArray
        Dims ([subject], [visit], layer, stimulus, stimulus_2), with the class of the stimulus as a
        coordinate if it is known. Symmetric, 0 on the diagonal. NaN for a stimulus with a missing
        response, and for correlations also if all units have the same response, as in layers of one
        unit.

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
        # In the precision of the responses: RDMs are by far the largest results.
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
    """Return the similarity of the RDMs of any two visits, a measure of representational drift.

    It is the Pearson correlation of the upper triangles of the two visits' matrices, as in
    :meth:`rdm`, over the pairs of stimuli with values at both. Units may differ between visits.

    Parameters
    ----------
    metric : "correlation" or "euclidean"
        As in :meth:`rdm`.

    Returns
    -------
    xr.DataArray
        Dims ([subject], layer, visit, visit_2), without unit: 1 if the geometry is unchanged, 0 if
        it is unrelated. NaN if fewer than three pairs have values at both, or all are equal.

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
    """Return a measure of each layer, computed a few subjects at a time.

    The measure maps an array with last axes ``reads`` to one with last axes ``gives``.
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
    """Return an array whose second axis of a kind has the coordinate of the first."""
    if name not in recording.coords:
        return found
    attrs = {**describe(name), "long_name": f"{name} compared with"}
    return found.assign_coords({second: ((second,), recording[name].to_numpy(), attrs)})
