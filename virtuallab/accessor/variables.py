"""Variables, layers and coordinates of a recording, in any form of storage or selection."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
import xarray as xr

from virtuallab.errors import UserError, suggest
from virtuallab.vocabulary import ACTIVITY, LAYER, STIMULUS, SUBJECT, UNIT, describe

# Axes that the accessor adds. A second axis of the same kind needs another name.
STIMULUS_CLASS: Final = "stimulus_class"
STIMULUS_2: Final = "stimulus_2"
VISIT_2: Final = "visit_2"

_BLOCK_BYTES: Final = 2**26  # small for any memory, large enough for the cost of a step in Python


def strings(labels: xr.DataArray) -> np.ndarray:
    """Return the text of a coordinate as Python strings, (entry,); a single string has one entry.

    xarray opens a store with numpy's variable-length strings, virtuallab with objects.
    """
    return np.array([str(label) for label in np.atleast_1d(labels.to_numpy())], dtype=object)


def variable(recording: xr.Dataset, name: str) -> xr.DataArray:
    """Return a variable of a recording; raise a UserError if there is none of this name."""
    if name in recording.data_vars:
        return recording[name]
    known = [str(each) for each in recording.data_vars]
    raise UserError(f"this recording has no variable {name!r}. {suggest(name, known)}")


def responses(recording: xr.Dataset, *needed: str) -> xr.DataArray:
    """Return the responses of a recording, (stimulus, unit, ...) in any order.

    Raises
    ------
    UserError
        If there are no responses, or an axis is missing.
    """
    activity = variable(recording, ACTIVITY)
    for dim in (STIMULUS, UNIT, *needed):
        if dim not in activity.dims:
            raise UserError(
                f"{ACTIVITY!r} has no axis {dim!r}, only {', '.join(map(str, activity.dims))}. "
                f"To keep it where one of it is picked, pick a list: .isel({dim}=[0])."
            )
    return activity


def response_units(recording: xr.Dataset) -> str:
    """Return the unit of measurement of the responses."""
    return str(recording[ACTIVITY].attrs.get("units", describe(ACTIVITY)["units"]))


def layers(recording: xr.Dataset) -> tuple[str, ...]:
    """Return the layers of a recording, from input to output; raise a UserError if it has none."""
    if LAYER in recording.coords:
        return tuple(strings(recording[LAYER]))
    if "unit_layer" in recording.coords:
        return tuple(dict.fromkeys(strings(recording["unit_layer"])))
    raise UserError("this dataset has neither 'layer' nor 'unit_layer': it is no recording.")


def unit_layers(recording: xr.Dataset) -> np.ndarray:
    """Return the layer of each unit, (unit,); raise a UserError if it is not known."""
    if "unit_layer" not in recording.coords:
        raise UserError("this dataset has no 'unit_layer', which gives the layer of each unit.")
    return strings(recording["unit_layer"])


def subject_blocks(values: xr.DataArray | xr.Variable, growth: int = 1) -> Iterator[slice]:
    """Yield runs of subjects that fit in memory at once; one run if there is no such axis.

    Parameters
    ----------
    values : xr.DataArray or xr.Variable
        They are not read.
    growth : int
        Size of the result, as a multiple of that of the values.
    """
    if SUBJECT not in values.dims:
        yield slice(None)
        return
    count = values.sizes[SUBJECT]
    one = values.size // max(count, 1) * 8 * growth
    step = max(1, _BLOCK_BYTES // max(one, 1))
    for start in range(0, max(count, 1), step):
        yield slice(start, start + step)


def read_block(values: xr.DataArray | xr.Variable, block: slice, dims: Sequence[str]) -> np.ndarray:
    """Read a run of subjects, with axes ``dims``, as float64; NaN where not finite."""
    cut = values.isel({SUBJECT: block}) if SUBJECT in values.dims else values
    # Read first: zarr is many times slower on an array that xarray transposes before.
    turned = cut.to_numpy().transpose([cut.dims.index(dim) for dim in dims])
    read = np.array(turned, dtype=np.float64)
    read[~np.isfinite(read)] = np.nan
    return read


def coords_along(recording: xr.Dataset, dims: Sequence[str]) -> dict[str, xr.Variable]:
    """Return the coordinates of a recording that apply to values with these axes."""
    kept = {
        str(name): coord.variable
        for name, coord in recording.coords.items()
        if set(coord.dims) <= set(dims)
    }
    if LAYER in dims and (LAYER not in kept or not kept[LAYER].dims):
        # If one layer was selected, its name has no axis, but the result has one.
        names = np.array(layers(recording), dtype=object)
        kept[LAYER] = xr.Variable((LAYER,), names, describe(LAYER))
    return kept
