"""Averages of responses over the stimuli of a class, or over repetitions of a stimulus."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Literal

import jaxtyping as jt
import numpy as np
import xarray as xr

from virtuallab.accessor.variables import (
    STIMULUS_CLASS,
    coords_along,
    read_block,
    response_units,
    responses,
    subject_blocks,
)
from virtuallab.errors import UserError, suggest
from virtuallab.vocabulary import CHOSEN, STIMULUS, SUBJECT

TRIAL = "trial"
Half = Literal["first", "second"]
_HALVES: tuple[Half, ...] = ("first", "second")
_NO_STIMULUS = -1  # if a subject was shown fewer stimuli than another


def tuning(recording: xr.Dataset, half: Half | None = None) -> xr.DataArray:
    """Return the mean responses to the stimuli of each class.

    Each subject's responses are grouped by the classes of its own stimuli. The preferred class of a
    unit and the strength of its preference must not be measured on the same responses: the largest
    of several means exceeds the others by noise alone. Find the preferred class with one half of
    the stimuli, and measure its strength with the other.

    Parameters
    ----------
    half : "first" or "second", optional
        Every other stimulus of each class, in the order of recording; by default all.

    Returns
    -------
    xr.DataArray
        Dims of the responses with ``stimulus_class`` instead of ``stimulus``, in units of the
        responses. Classes ascend; NaN if a subject was shown no stimulus of a class.

    Raises
    ------
    UserError
        If the recording has no classes, or there is no such half.
    """
    if half not in (None, *_HALVES):
        raise UserError(f"no half is called {half!r}. {suggest(str(half), _HALVES)}")
    activity = responses(recording)
    if "stimulus_label" not in recording:
        raise UserError(
            "this recording has no 'stimulus_label': the classes of its stimuli, over which "
            "tuning is computed, are not known."
        )
    labels = recording["stimulus_label"]
    classes, group = np.unique(_plain(labels.to_numpy()), return_inverse=True)
    groups = xr.Variable(labels.dims, group.reshape(labels.shape))
    if half is not None:
        groups = _every_other(groups, len(classes), _HALVES.index(half))
    means, seen = _means(activity.variable, groups, len(classes))
    # A subject that was not recorded has no labels: its stimuli have class 0 in the store.
    kept = np.flatnonzero(seen) if seen.any() else np.arange(len(classes))
    dims = [STIMULUS_CLASS if dim == STIMULUS else str(dim) for dim in means.dims]
    found = xr.DataArray(means.to_numpy(), coords_along(recording, dims), dims)
    attrs = {"units": "1", "long_name": "class of the stimulus"}
    class_coord = xr.Variable((STIMULUS_CLASS,), classes[kept], attrs)
    found = found.isel({STIMULUS_CLASS: kept}).assign_coords({STIMULUS_CLASS: class_coord})
    attrs = {"units": response_units(recording), "long_name": "mean response to a class"}
    return found.rename("tuning").assign_attrs(attrs)


def _every_other(groups: xr.Variable, count: int, start: int) -> xr.Variable:
    """Return the group of every other member; the rest have a number that no group has."""
    flat = groups.transpose(..., STIMULUS)
    member = _members(flat, list(map(str, flat.dims)), count)
    place = (member.cumsum(-2) * member).sum(-1) - 1  # 0 for the first of its group
    kept = np.where(place % 2 == start, flat.to_numpy(), count)
    return xr.Variable(flat.dims, kept).transpose(*groups.dims)


def trial_average(recording: xr.Dataset, dim: str = TRIAL) -> xr.Dataset:
    """Return a recording with repeated presentations averaged.

    If the recording has the axis ``dim``, the mean is over that axis. If it has no axis ``trial``,
    stimuli with the same ``stimulus_index`` are repetitions of one stimulus: the axis ``stimulus``
    then has each subject's distinct stimuli, by first appearance. If a subject was shown fewer than
    another, its last are NaN, with index and class -1.

    Parameters
    ----------
    dim : str, default "trial"
        Axis of repetitions.

    Returns
    -------
    xr.Dataset
        A recording. Variables without repetitions, such as weights, are unchanged.

    Raises
    ------
    UserError
        If repetitions are not marked, or stimuli differ along their axis.
    """
    if dim in recording.dims:
        return _over_trials(recording, dim)
    if dim != TRIAL:
        known = [*map(str, recording.dims), TRIAL]
        raise UserError(f"this recording has no axis {dim!r}. {suggest(dim, known)}")
    return _over_repeats(recording)


def _over_trials(recording: xr.Dataset, dim: str) -> xr.Dataset:
    averaged: dict[Hashable, xr.Variable] = {}
    for name, values in recording.variables.items():
        if dim not in values.dims:
            averaged[name] = values
        elif name in recording.data_vars and values.dtype.kind == "f":
            averaged[name] = values.mean(dim, keep_attrs=True)
        elif bool((values == (first := values.isel({dim: 0}))).all()):
            averaged[name] = first
        elif name in recording.data_vars or name in CHOSEN:
            raise UserError(
                f"{name!r} differs along {dim!r}, so these are not repetitions of one stimulus."
            )
    kept = {n: v for n, v in averaged.items() if n in recording.coords and n != dim}
    return xr.Dataset(
        {n: v for n, v in averaged.items() if n in recording.data_vars}, kept, recording.attrs
    )


def _over_repeats(recording: xr.Dataset) -> xr.Dataset:
    if "stimulus_index" not in recording:
        raise UserError(
            f"this recording has no axis {TRIAL!r} and no 'stimulus_index', which would show "
            "which presentations are repetitions."
        )
    index = recording["stimulus_index"].variable
    groups, width = _repeats(index)
    kept: dict[str, xr.Variable] = {}
    for name, values in recording.variables.items():
        if STIMULUS not in values.dims:
            kept[str(name)] = values
        elif values.dtype.kind == "f":
            kept[str(name)], _ = _means(values, groups, width)
        elif name != STIMULUS:
            kept[str(name)] = _firsts(values, groups, width)
    averaged = xr.Dataset(kept, attrs=recording.attrs)
    return averaged.set_coords([name for name in recording.coords if name in kept])


def _repeats(index: xr.Variable) -> tuple[xr.Variable, int]:
    """Return the index of each stimulus among its subject's distinct ones, and their most."""
    flat = index.transpose(..., STIMULUS)
    rows = flat.to_numpy().reshape(-1, flat.sizes[STIMULUS])
    numbered = np.empty(rows.shape, dtype=np.int64)
    width = 0
    for place, row in enumerate(rows):
        _, first, group = np.unique(row, return_index=True, return_inverse=True)
        numbered[place] = np.argsort(np.argsort(first))[group]
        width = max(width, len(first))
    return xr.Variable(flat.dims, numbered.reshape(flat.shape)), width


def _means(
    values: xr.Variable, groups: xr.Variable, count: int
) -> tuple[xr.Variable, jt.Bool[np.ndarray, " group"]]:
    """Return means over the stimuli of each group, computed a few subjects at a time.

    Parameters
    ----------
    values : xr.Variable
        With an axis of stimuli, which becomes that of groups.
    groups : xr.Variable
        Group of each stimulus, from 0, (stimulus) or (subject, stimulus).
    count : int
        Number of groups.

    Returns
    -------
    xr.Variable
        NaN where a group has no finite value. As precise as ``values``.
    array of bool
        Groups that have a finite value anywhere.
    """
    values, order = _aligned(values, groups)
    own = SUBJECT in groups.dims
    parts, seen = [], np.zeros(count, dtype=bool)
    for block in subject_blocks(values):
        read = read_block(values, block, order)
        of = groups.isel({SUBJECT: block}) if own else groups
        member = _members(of, order, count)
        flat = read.reshape(*member.shape[:-1], -1)
        there = np.isfinite(flat)
        across = member.swapaxes(-2, -1).astype(np.float64)
        total, number = across @ np.where(there, flat, 0.0), across @ there
        mean = np.where(number > 0, total, np.nan) / np.maximum(number, 1)
        parts.append(mean.reshape(*mean.shape[:-1], *read.shape[of.ndim :]).astype(values.dtype))
        seen |= (number > 0).any(tuple(each for each in range(number.ndim) if each != of.ndim - 1))
    joined = np.concatenate(parts, axis=order.index(SUBJECT)) if len(parts) > 1 else parts[0]
    return xr.Variable(order, joined, values.attrs).transpose(*values.dims), seen


def _firsts(values: xr.Variable, groups: xr.Variable, count: int) -> xr.Variable:
    """Return the values of each group's first stimulus, for values without a mean."""
    values, order = _aligned(values, groups)
    read = _plain(values.transpose(*order).to_numpy())
    member = _members(groups, order, count)
    shape = (*member.shape[:-2], count) + (1,) * (read.ndim - member.ndim + 1)
    at, there = member.argmax(-2).reshape(shape), member.any(-2).reshape(shape)
    taken = np.take_along_axis(read, at, axis=groups.ndim - 1)
    if not there.all():
        taken = np.where(there, taken, "" if taken.dtype.kind in "OU" else _NO_STIMULUS)
    return xr.Variable(order, taken, values.attrs).transpose(*values.dims)


def _aligned(values: xr.Variable, groups: xr.Variable) -> tuple[xr.Variable, list[str]]:
    """Return values with all axes of the groups, and an order of axes with these first."""
    missing = {dim: size for dim, size in groups.sizes.items() if dim not in values.dims}
    if missing:
        values = values.set_dims({**missing, **values.sizes})  # type: ignore[no-untyped-call]
    lead = [str(dim) for dim in groups.dims if dim != STIMULUS]
    rest = [str(dim) for dim in values.dims if dim not in groups.dims]
    return values, [*lead, STIMULUS, *rest]


def _members(
    groups: xr.Variable, order: Sequence[str], count: int
) -> jt.Bool[np.ndarray, "*lead stimulus group"]:
    """Return the membership of each stimulus in each group."""
    number = groups.transpose(*order[: groups.ndim]).to_numpy()
    return np.asarray(number[..., None] == np.arange(count))


def _plain(values: np.ndarray) -> np.ndarray:
    """Return text as Python strings: much of numpy does not support variable length yet."""
    return values.astype(object) if values.dtype.kind == "T" else values
