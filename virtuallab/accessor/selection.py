"""Choose a part of a recording by the words of the experiment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import xarray as xr

from virtuallab.accessor.variables import layers, words
from virtuallab.errors import UserError, suggest
from virtuallab.vocabulary import LAYER, SYNAPSE, UNIT

Depth = float | int | Sequence[float | int]

# Each axis that belongs to layers, and the coordinate that says to which.
_OF_LAYERS: Final = {LAYER: LAYER, UNIT: "unit_layer", SYNAPSE: "synapse_layer"}
_CLOSE: Final = 1e-9


def select(
    recording: xr.Dataset,
    *,
    layer: str | Sequence[str] | None,
    depth: Depth | None,
    labels: Mapping[str, Any],
) -> xr.Dataset:
    """Keep what is asked for; every axis stays, even with one thing on it."""
    keep: dict[str, np.ndarray] = {}
    for name, asked in labels.items():
        if asked is None:
            continue
        dim, chosen = _of_label(recording, name, asked)
        if dim is None:
            continue  # the one value there is, is the one asked for
        keep[dim] = keep.get(dim, True) & chosen
        if not keep[dim].any():
            raise UserError(_nothing(dim, labels))
    if layer is not None or depth is not None:
        keep |= _of_layers(recording, _layers(recording, layer, depth))
    return recording.isel({dim: np.flatnonzero(chosen) for dim, chosen in keep.items()})


def _of_label(recording: xr.Dataset, name: str, asked: Any) -> tuple[str | None, np.ndarray]:
    """The axis of a coordinate, None where it is one value, and which of its places are meant."""
    known = [str(n) for n, coord in recording.coords.items() if coord.ndim <= 1]
    if name not in known:
        raise UserError(f"this recording has no coordinate {name!r}. {suggest(name, known)}")
    coord = recording[name]
    dim = str(coord.dims[0]) if coord.dims else None
    if coord.dtype.kind in "TOU":
        return dim, _among_words(name, words(coord), asked)
    return dim, _among_numbers(name, np.atleast_1d(coord.to_numpy()), asked)


def _among_words(kind: str, there: np.ndarray, asked: Any) -> np.ndarray:
    names = [asked] if isinstance(asked, str) else list(asked)
    known = set(there)
    for name in names:
        if name not in known:
            raise UserError(f"no {kind} is called {name!r}. {suggest(str(name), known)}")
    return np.isin(there, names)


def _among_numbers(kind: str, there: np.ndarray, asked: Any) -> np.ndarray:
    extent = f"There are {len(np.unique(there))}, from {there.min():g} to {there.max():g}."
    if isinstance(asked, slice):
        if asked.step is not None:
            raise UserError(f"{kind} takes a slice from the lowest to the highest, without a step.")
        low = -np.inf if asked.start is None else asked.start
        high = np.inf if asked.stop is None else asked.stop
        inside = (there >= low) & (there <= high)
        if not inside.any():
            raise UserError(f"no {kind} lies between {low:g} and {high:g}. {extent}")
        return np.asarray(inside)
    try:
        numbers = np.atleast_1d(np.asarray(asked, dtype=np.float64))
    except (TypeError, ValueError):
        raise UserError(f"{kind} is a number, found {asked!r}. {extent}") from None
    found = np.isclose(there[:, None], numbers, rtol=_CLOSE, atol=0)
    for number, is_there in zip(numbers, found.any(0), strict=True):
        if not is_there:
            raise UserError(f"there is no {kind} {number:g}. {extent}")
    return np.asarray(found.any(1))


def _nothing(dim: str, labels: Mapping[str, Any]) -> str:
    asked = [f"{name}={value!r}" for name, value in labels.items() if value is not None]
    return f"no {dim} has all of {', '.join(asked)}. Each alone there is: ask for fewer at once."


def _layers(
    recording: xr.Dataset, layer: str | Sequence[str] | None, depth: Depth | None
) -> list[str]:
    known = layers(recording)
    chosen = np.ones(len(known), dtype=bool)
    if layer is not None:
        chosen &= _among_words(LAYER, np.array(known, dtype=object), layer)
    if depth is not None:
        chosen &= _at_depth(recording, depth)
    if not chosen.any():
        raise UserError(f"no layer is called {layer!r} and lies at depth {depth!r}.")
    return [name for name, is_chosen in zip(known, chosen, strict=True) if is_chosen]


def _at_depth(recording: xr.Dataset, depth: Depth) -> np.ndarray:
    if "layer_depth" not in recording.coords:
        raise UserError("this recording does not say how deep its layers lie. Choose by layer=.")
    depths = np.atleast_1d(recording["layer_depth"].to_numpy()).astype(np.float64)
    asked = np.atleast_1d(np.asarray(depth, dtype=np.float64))
    if asked.ndim != 1 or not 1 <= len(asked) <= 2:
        raise UserError(f"depth is a number or a pair (low, high), found {depth!r}.")
    if not ((asked >= 0) & (asked <= 1)).all():
        raise UserError(f"depth goes from 0, the first layer, to 1, the last; found {depth!r}.")
    if len(asked) == 1:
        distance = np.abs(depths - asked[0])
        return np.asarray(distance <= distance.min() + _CLOSE)
    low, high = asked
    inside = (depths >= low - _CLOSE) & (depths <= high + _CLOSE)
    if not inside.any():
        there = ", ".join(
            f"{name} at {at:.2g}" for name, at in zip(layers(recording), depths, strict=True)
        )
        raise UserError(f"no layer lies between depths {low:g} and {high:g}. There are: {there}.")
    return np.asarray(inside)


def _of_layers(recording: xr.Dataset, chosen: Sequence[str]) -> dict[str, np.ndarray]:
    return {
        dim: np.isin(words(recording[name]), list(chosen))
        for dim, name in _OF_LAYERS.items()
        if dim in recording.dims and name in recording.coords
    }
