"""Selection of a part of a recording by the names of the experiment."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import xarray as xr

from virtuallab.accessor.variables import layers, strings
from virtuallab.errors import UserError, suggest
from virtuallab.vocabulary import LAYER, SYNAPSE, UNIT

Depth = float | int | Sequence[float | int]
Numbers = float | int | Sequence[float | int] | slice
Names = str | Sequence[str]

# Each axis that belongs to layers, and the coordinate that names the layer.
_OF_LAYERS: Final = {LAYER: LAYER, UNIT: "unit_layer", SYNAPSE: "synapse_layer"}
_CLOSE: Final = 1e-9


def select(
    recording: xr.Dataset,
    /,
    *,
    rule: Names | None = None,
    architecture: Names | None = None,
    task: Names | None = None,
    layer: Names | None = None,
    depth: Depth | None = None,
    visit: Numbers | None = None,
    subject: Names | None = None,
    **labels: Any,
) -> xr.Dataset:
    """Return a part of the recording; axes with a single entry are kept.

    Parameters
    ----------
    rule, architecture, task, subject : str or list of str, optional
        Names to keep.
    layer : str or list of str, optional
        Layers to keep, with their units, synapses and values of whole layers.
    depth : float or pair of float, optional
        Layers to keep by position, from 0, the first, to 1, the last: those nearest to a number, or
        all between two numbers.
    visit : int, list of int or slice, optional
        Visits to keep by number. A slice includes both ends.
    **labels : object
        Values of any other coordinate of one axis, as ``optimizer="adam"`` or
        ``learning_rate=slice(0.001, 0.01)``.

    Returns
    -------
    xr.Dataset
        Values are not read from disk yet.

    Raises
    ------
    UserError
        If there is no such name, visit, layer or coordinate, or nothing has all of them.
    """
    named = {"rule": rule, "architecture": architecture, "task": task}
    wanted = {**named, "subject": subject, "visit": visit, **labels}
    wanted = {name: value for name, value in wanted.items() if value is not None}
    keep: dict[str, np.ndarray] = {}
    for name, value in wanted.items():
        dim, chosen = _match(recording, name, value)
        if dim is None:
            continue  # the only value there is matches
        keep[dim] = keep.get(dim, True) & chosen
        if not keep[dim].any():
            every = ", ".join(f"{name}={value!r}" for name, value in wanted.items())
            raise UserError(
                f"no {dim} has all of {every}, although each occurs. Select by fewer at once."
            )
    if layer is not None or depth is not None:
        names = _matching_layers(recording, layer, depth)
        keep |= {
            dim: np.isin(strings(recording[name]), names)
            for dim, name in _OF_LAYERS.items()
            if dim in recording.dims and name in recording.coords
        }
    return recording.isel({dim: np.flatnonzero(chosen) for dim, chosen in keep.items()})


def _match(recording: xr.Dataset, name: str, wanted: Any) -> tuple[str | None, np.ndarray]:
    """Return the axis of a coordinate (None if it has none), and a mask of matching entries."""
    known = [str(n) for n, coord in recording.coords.items() if coord.ndim <= 1]
    if name not in known:
        raise UserError(f"this recording has no coordinate {name!r}. {suggest(name, known)}")
    coord = recording[name]
    dim = str(coord.dims[0]) if coord.dims else None
    if coord.dtype.kind in "TOU":
        return dim, _match_names(name, strings(coord), wanted)
    return dim, _match_numbers(name, np.atleast_1d(coord.to_numpy()), wanted)


def _match_names(kind: str, there: np.ndarray, wanted: Any) -> np.ndarray:
    names = [wanted] if isinstance(wanted, str) else list(wanted)
    known = set(there)
    for name in names:
        if name not in known:
            raise UserError(f"no {kind} is called {name!r}. {suggest(str(name), known)}")
    return np.isin(there, names)


def _match_numbers(kind: str, there: np.ndarray, wanted: Any) -> np.ndarray:
    extent = f"There are {len(np.unique(there))}, from {there.min():g} to {there.max():g}."
    if isinstance(wanted, slice):
        if wanted.step is not None:
            raise UserError(f"{kind} takes a slice from the lowest to the highest, without a step.")
        low = -np.inf if wanted.start is None else wanted.start
        high = np.inf if wanted.stop is None else wanted.stop
        inside = (there >= low) & (there <= high)
        if not inside.any():
            raise UserError(f"no {kind} lies between {low:g} and {high:g}. {extent}")
        return np.asarray(inside)
    try:
        numbers = np.atleast_1d(np.asarray(wanted, dtype=np.float64))
    except (TypeError, ValueError):
        raise UserError(f"{kind} is a number, found {wanted!r}. {extent}") from None
    found = np.isclose(there[:, None], numbers, rtol=_CLOSE, atol=0)
    for number, is_there in zip(numbers, found.any(0), strict=True):
        if not is_there:
            raise UserError(f"there is no {kind} {number:g}. {extent}")
    return np.asarray(found.any(1))


def _matching_layers(recording: xr.Dataset, layer: Names | None, depth: Depth | None) -> list[str]:
    known = np.array(layers(recording), dtype=object)
    chosen = np.ones(len(known), dtype=bool)
    if layer is not None:
        chosen &= _match_names(LAYER, known, layer)
    if depth is not None:
        chosen &= _match_depth(recording, depth)
    if not chosen.any():
        raise UserError(f"no layer is called {layer!r} and lies at depth {depth!r}.")
    return list(known[chosen])


def _match_depth(recording: xr.Dataset, depth: Depth) -> np.ndarray:
    if "layer_depth" not in recording.coords:
        raise UserError("this recording has no depths of layers ('layer_depth'). Select by layer=.")
    depths = np.atleast_1d(recording["layer_depth"].to_numpy()).astype(np.float64)
    wanted = np.atleast_1d(np.asarray(depth, dtype=np.float64))
    if wanted.ndim != 1 or not 1 <= len(wanted) <= 2:
        raise UserError(f"depth is a number or a pair (low, high), found {depth!r}.")
    if not ((wanted >= 0) & (wanted <= 1)).all():
        raise UserError(f"depth goes from 0, the first layer, to 1, the last; found {depth!r}.")
    if len(wanted) == 1:
        distance = np.abs(depths - wanted[0])
        return np.asarray(distance <= distance.min() + _CLOSE)
    low, high = wanted
    inside = (depths >= low - _CLOSE) & (depths <= high + _CLOSE)
    if not inside.any():
        there = ", ".join(
            f"{name} at {at:.2g}" for name, at in zip(layers(recording), depths, strict=True)
        )
        raise UserError(f"no layer lies between depths {low:g} and {high:g}. There are: {there}.")
    return np.asarray(inside)
