"""How arrays lie on disk: a leading subject axis, one chunk to a subject, words as words."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
import zarr

from virtuallab.errors import StoreError
from virtuallab.vocabulary import MEMBER, SUBJECT, describe


def declare_array(group: zarr.Group, name: str, sample: xr.DataArray, subjects: int) -> None:
    """Make an array of one chunk a subject, for values like ``sample`` (which has no subject)."""
    group.create_array(
        name,
        shape=(subjects, *sample.shape),
        chunks=(1, *sample.shape),
        dtype="str" if is_text(sample.dtype) else sample.dtype,
        fill_value=_unwritten(sample.dtype),
        # A folder for each axis of each chunk would cost more room than most chunks do.
        chunk_key_encoding={"name": "default", "separator": "."},
        dimension_names=(SUBJECT, *map(str, sample.dims)),
        attributes={**describe(name), **_plain(sample.attrs)},
    )


def own_coords(sample: xr.Dataset, static: xr.Dataset) -> dict[str, xr.DataArray]:
    """Coordinates of one subject that differ from subject to subject, by name."""
    return {str(name): c for name, c in sample.coords.items() if name not in static.coords}


def along(coord: xr.DataArray, values: xr.DataArray) -> bool:
    """Say whether a coordinate lies along the axes of some values; members are within units."""
    return set(coord.dims) - {MEMBER} <= set(values.dims)


def value_dims(array: zarr.Array[Any]) -> tuple[str, ...]:
    """Names of an array's axes but the first, the subject."""
    names = array.metadata.dimension_names or ()  # type: ignore[union-attr]
    return tuple(str(name) for name in names[1:])


def check_like(stored: xr.Dataset, sample: xr.Dataset, static: xr.Dataset, node: str) -> None:
    """Refuse to take a node for values that differ from those it was declared for.

    Parameters
    ----------
    stored : xr.Dataset
        The node as it is, dims (subject, ...).
    sample : xr.Dataset
        One subject's values, without a subject axis.
    static : xr.Dataset
        The coordinates; those of subjects alone may be more than the node has.
    node : str
        Where it is, for the message.

    Raises
    ------
    StoreError
    """
    own = own_coords(sample, static)
    now = {str(name): _spell(variable) for name, variable in sample.data_vars.items()}
    now |= {name: _spell(coord) for name, coord in own.items()}
    by_subject = {str(name) for name in stored.data_vars} | named_on_values(stored)
    before = {name: _spell(stored[name]) for name in by_subject}
    for name in sorted(before.keys() | now.keys()):
        if before.get(name) != now.get(name):
            raise StoreError(
                f"{node}/{name} is stored as {before.get(name, 'nothing')}, "
                f"and cannot take {now.get(name, 'nothing')}."
            )
    for name in sorted(map(str, (stored.coords.keys() | static.coords.keys()) - by_subject)):
        if name not in stored.coords and static.variables[name].dims == (SUBJECT,):
            continue  # a later version may know more of the subjects than the node was told
        if (
            name not in stored.coords
            or name not in static.coords
            or not stored.variables[name].equals(static.variables[name])  # type: ignore[no-untyped-call]
        ):
            raise StoreError(f"{node} is stored with another {name}; give it another name.")


def table_encoding(dataset: xr.Dataset) -> dict[str, dict[str, Any]]:
    """One chunk for each variable of a small table."""
    return {
        str(name): {"chunks": variable.shape}
        for name, variable in dataset.variables.items()
        if variable.ndim and variable.size
    }


def as_words(dataset: xr.Dataset) -> xr.Dataset:
    """Text as variable-length strings: a fixed width could not take a longer name later."""
    changed = {
        name: (variable.dims, words(variable.to_numpy()), variable.attrs)
        for name, variable in dataset.variables.items()
        if is_text(variable.dtype)
    }
    coords = {name: value for name, value in changed.items() if name in dataset.coords}
    values = {name: value for name, value in changed.items() if name not in dataset.coords}
    return dataset.assign_coords(coords).assign(values)


def words(values: np.ndarray) -> np.ndarray:
    """Text of any kind as an array of Python's own strings."""
    return np.array([str(value) for value in values.ravel()], dtype=object).reshape(values.shape)


def is_text(dtype: np.dtype[Any]) -> bool:
    """Say whether values are text: of fixed or variable length, or Python's own strings."""
    return dtype.kind in "UOT"


def named_on_values(stored: xr.Dataset) -> set[str]:
    """Coordinates that a node's values name as theirs: those that are written by subject."""
    return {
        name
        for values in stored.data_vars.values()
        for name in str(values.encoding.get("coordinates", "")).split()
    }


def _spell(values: xr.DataArray) -> str:
    sizes = ", ".join(f"{dim} {size}" for dim, size in values.sizes.items() if dim != SUBJECT)
    return f"({sizes}) {'text' if is_text(values.dtype) else values.dtype}"


def _unwritten(dtype: np.dtype[Any]) -> float | int | str:
    if is_text(dtype):
        return ""
    return float("nan") if dtype.kind == "f" else 0


def _plain(attributes: dict[Any, Any]) -> dict[str, Any]:
    """Attributes as JSON can hold them."""
    return {
        str(k): v.tolist() if isinstance(v, np.ndarray | np.generic) else v
        for k, v in attributes.items()
    }
