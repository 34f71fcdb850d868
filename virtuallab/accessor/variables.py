"""What a recording has: responses, layers, and who is in it, however it was stored or cut."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
import xarray as xr

from virtuallab.errors import UserError, suggest
from virtuallab.vocabulary import ACTIVITY, LAYER, STIMULUS, SUBJECT, UNIT, describe

# Axes that exploration adds. A second axis of the same things needs a name of its own.
STIMULUS_CLASS: Final = "stimulus_class"
STIMULUS_2: Final = "stimulus_2"
VISIT_2: Final = "visit_2"

_BLOCK_BYTES: Final = 2**26  # small beside any memory, large beside the cost of a step in Python


def words(labels: xr.DataArray) -> np.ndarray:
    """Text of a coordinate as Python strings, one axis also where it is a single word.

    A store opened by plain xarray gives numpy's variable-length strings, one opened by virtuallab
    gives objects.
    """
    return np.array([str(label) for label in np.atleast_1d(labels.to_numpy())], dtype=object)


def variable(recording: xr.Dataset, name: str) -> xr.DataArray:
    """Find a variable of a recording.

    Raises
    ------
    UserError
        If there is none of this name.
    """
    if name in recording.data_vars:
        return recording[name]
    known = [str(each) for each in recording.data_vars]
    raise UserError(f"this recording has no variable {name!r}. {suggest(name, known)}")


def responses(recording: xr.Dataset, *needed: str) -> xr.DataArray:
    """Find the responses of a recording and make sure that they have the axes needed.

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
    """Unit of measurement of the responses."""
    return str(recording[ACTIVITY].attrs.get("units", describe(ACTIVITY)["units"]))


def layers(recording: xr.Dataset) -> tuple[str, ...]:
    """Layers of a recording, from input to output.

    Raises
    ------
    UserError
        If it does not say which layer its units are of.
    """
    if LAYER in recording.coords:
        return tuple(words(recording[LAYER]))
    if "unit_layer" in recording.coords:
        return tuple(dict.fromkeys(words(recording["unit_layer"])))
    raise UserError("this dataset has neither 'layer' nor 'unit_layer': it is no recording.")


def owners(recording: xr.Dataset) -> np.ndarray:
    """Layer of each unit.

    Raises
    ------
    UserError
        If the recording does not say.
    """
    if "unit_layer" not in recording.coords:
        raise UserError("this dataset does not say in 'unit_layer' which layer its units are of.")
    return words(recording["unit_layer"])


def blocks(values: xr.DataArray | xr.Variable, growth: int = 1) -> Iterator[slice]:
    """Cut the subjects into runs that fit in memory at once; one run where there is no such axis.

    Parameters
    ----------
    values : xr.DataArray or xr.Variable
        Nothing of them is read.
    growth : int
        How many times larger than them is what is made of them.
    """
    if SUBJECT not in values.dims:
        yield slice(None)
        return
    count = values.sizes[SUBJECT]
    one = values.size // max(count, 1) * 8 * growth
    step = max(1, _BLOCK_BYTES // max(one, 1))
    for start in range(0, max(count, 1), step):
        yield slice(start, start + step)


def block_of(values: xr.DataArray | xr.Variable, block: slice, dims: Sequence[str]) -> np.ndarray:
    """Read one run of subjects, in double precision; what is not a finite number is NaN."""
    cut = values.isel({SUBJECT: block}) if SUBJECT in values.dims else values
    # Read first: zarr is many times slower at what xarray makes of an array turned before.
    turned = cut.to_numpy().transpose([cut.dims.index(dim) for dim in dims])
    read = np.array(turned, dtype=np.float64)
    read[~np.isfinite(read)] = np.nan
    return read


def coords_of(recording: xr.Dataset, dims: Sequence[str]) -> dict[str, xr.Variable]:
    """Coordinates that still hold for something with these axes."""
    kept = {
        str(name): coord.variable
        for name, coord in recording.coords.items()
        if set(coord.dims) <= set(dims)
    }
    if LAYER in dims and (LAYER not in kept or not kept[LAYER].dims):
        # Where one layer was picked its name has no axis, and the result has one again.
        names = np.array(layers(recording), dtype=object)
        kept[LAYER] = xr.Variable((LAYER,), names, describe(LAYER))
    return kept
