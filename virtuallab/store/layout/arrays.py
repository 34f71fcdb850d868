"""Form of stored arrays: a leading subject axis, one chunk per subject, variable-length text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr
import zarr

from virtuallab.errors import StoreError
from virtuallab.vocabulary import MEMBER, SUBJECT, describe


def declare_array(group: zarr.Group, name: str, sample: xr.DataArray, subjects: int) -> None:
    """Make an array with one chunk for each subject.

    Parameters
    ----------
    group : zarr.Group
    name : str
    sample : xr.DataArray
        One subject's values, without a subject axis.
    subjects : int
    """
    group.create_array(
        name,
        shape=(subjects, *sample.shape),
        chunks=(1, *sample.shape),
        dtype="str" if is_text(sample.dtype) else sample.dtype,
        fill_value=_fill_value(sample.dtype),
        # A folder for each axis of each chunk would take more room than most chunks do.
        chunk_key_encoding={"name": "default", "separator": "."},
        dimension_names=(SUBJECT, *map(str, sample.dims)),
        attributes={**describe(name), **_as_json(sample.attrs)},
    )


def subject_coords(sample: xr.Dataset, static: xr.Dataset) -> dict[str, xr.DataArray]:
    """Return the coordinates of one subject that are not among the static ones, by name."""
    return {str(name): c for name, c in sample.coords.items() if name not in static.coords}


def lies_along(coord: xr.DataArray, values: xr.DataArray) -> bool:
    """Return whether values have all axes of a coordinate; members count as part of a unit."""
    return set(coord.dims) - {MEMBER} <= set(values.dims)


def value_dims(array: zarr.Array[Any]) -> tuple[str, ...]:
    """Return the names of an array's axes without the first, the subject."""
    names = array.metadata.dimension_names or ()  # type: ignore[union-attr]
    return tuple(str(name) for name in names[1:])


def check_same_form(stored: xr.Dataset, sample: xr.Dataset, static: xr.Dataset, node: str) -> None:
    """Raise a StoreError if values differ in form from those that a node was declared for.

    The form is axes and type of each variable, and the values of static coordinates.

    Parameters
    ----------
    stored : xr.Dataset
        The node, dims (subject, ...).
    sample : xr.Dataset
        One subject's values, without a subject axis.
    static : xr.Dataset
        Coordinates that all subjects share, and those over subjects.
    node : str
        Its path, for the message.
    """
    own = subject_coords(sample, static)
    now = {str(name): _form(values) for name, values in [*sample.data_vars.items(), *own.items()]}
    by_subject = {str(name) for name in stored.data_vars} | coords_by_subject(stored)
    before = {name: _form(stored[name]) for name in by_subject}
    for name in sorted(before.keys() | now.keys()):
        if before.get(name) != now.get(name):
            raise StoreError(
                f"{node}/{name} is stored as {before.get(name, 'nothing')}, "
                f"and cannot take {now.get(name, 'nothing')}."
            )
    for name in sorted(map(str, (stored.coords.keys() | static.coords.keys()) - by_subject)):
        both = name in stored.coords and name in static.coords
        if not both or not stored.variables[name].equals(static.variables[name]):  # type: ignore[no-untyped-call]
            raise StoreError(f"{node} is stored with another {name}; give it another name.")


def table_encoding(dataset: xr.Dataset) -> dict[str, dict[str, Any]]:
    """Return the encoding by which each variable of a small table is one chunk."""
    return {
        str(name): {"chunks": variable.shape}
        for name, variable in dataset.variables.items()
        if variable.ndim and variable.size
    }


def with_string_objects(dataset: xr.Dataset) -> xr.Dataset:
    """Return a dataset with text as Python strings, stored with variable length.

    A fixed width could not take a longer name later.
    """
    return replace_variables(
        dataset,
        {
            name: (variable.dims, as_strings(variable.to_numpy()), variable.attrs)
            for name, variable in dataset.variables.items()
            if is_text(variable.dtype)
        },
    )


def replace_variables(dataset: xr.Dataset, changed: Mapping[Any, Any]) -> xr.Dataset:
    """Return a dataset with other values of some variables; coordinates stay coordinates."""
    coords = {name: value for name, value in changed.items() if name in dataset.coords}
    values = {name: value for name, value in changed.items() if name not in dataset.coords}
    return dataset.assign_coords(coords).assign(values)


def as_strings(values: np.ndarray) -> np.ndarray:
    """Return text of any kind as an object array of Python strings, of the same shape."""
    return np.array([str(value) for value in values.ravel()], dtype=object).reshape(values.shape)


def is_text(dtype: np.dtype[Any]) -> bool:
    """Return whether a type is text: of fixed or variable length, or Python strings."""
    return dtype.kind in "UOT"


def coords_by_subject(stored: xr.Dataset) -> set[str]:
    """Return the coordinates that are written by subject: those that values name as theirs."""
    return {
        name
        for values in stored.data_vars.values()
        for name in str(values.encoding.get("coordinates", "")).split()
    }


def _form(values: xr.DataArray) -> str:
    sizes = ", ".join(f"{dim} {size}" for dim, size in values.sizes.items() if dim != SUBJECT)
    return f"({sizes}) {'text' if is_text(values.dtype) else values.dtype}"


def _fill_value(dtype: np.dtype[Any]) -> float | int | str:
    if is_text(dtype):
        return ""
    return float("nan") if dtype.kind == "f" else 0


def _as_json(attributes: dict[Any, Any]) -> dict[str, Any]:
    return {
        str(k): v.tolist() if isinstance(v, np.ndarray | np.generic) else v
        for k, v in attributes.items()
    }
