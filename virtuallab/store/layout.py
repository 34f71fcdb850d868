"""How arrays lie on disk: a leading subject axis, one chunk to a subject, words as words.

Writes that share a chunk lose data without an error: each writer reads the chunk, changes its part
and writes the whole back. So one chunk holds exactly one subject, and is written once.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
import zarr

from virtuallab.errors import StoreError
from virtuallab.vocabulary import SUBJECT, describe


def declare_array(group: zarr.Group, name: str, sample: xr.DataArray, subjects: int) -> None:
    """Make an array of one chunk a subject, for values like ``sample`` (which has no subject)."""
    shape = (subjects, *sample.shape)
    group.create_array(
        name,
        shape=shape,
        chunks=(1, *sample.shape),
        dtype=sample.dtype,
        fill_value=_unwritten(sample.dtype),
        dimension_names=(SUBJECT, *map(str, sample.dims)),
        attributes={**describe(name), **_plain(sample.attrs)},
    )


def check_like(array: zarr.Array[Any], sample: xr.DataArray, node: str) -> None:
    """Refuse a template that differs from what is declared already.

    Raises
    ------
    StoreError
    """
    dims = (SUBJECT, *map(str, sample.dims))
    found = (array.metadata.dimension_names, array.shape[1:], array.dtype)  # type: ignore[union-attr]
    if found != (dims, sample.shape, sample.dtype):
        raise StoreError(
            f"{node}/{sample.name} is stored as {found[0]} {found[1]} {found[2]}, "
            f"and cannot take {dims} {sample.shape} {sample.dtype}."
        )


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
        name: (variable.dims, _words(variable.to_numpy()), variable.attrs)
        for name, variable in dataset.variables.items()
        if variable.dtype.kind in "UO"
    }
    coords = {name: value for name, value in changed.items() if name in dataset.coords}
    values = {name: value for name, value in changed.items() if name not in dataset.coords}
    return dataset.assign_coords(coords).assign(values)


def _words(values: np.ndarray) -> np.ndarray:
    return np.array([str(value) for value in values.ravel()], dtype=object).reshape(values.shape)


def _unwritten(dtype: np.dtype[Any]) -> float | int:
    return float("nan") if dtype.kind == "f" else 0


def _plain(attributes: dict[Any, Any]) -> dict[str, Any]:
    """Attributes as JSON can hold them."""
    return {
        str(k): v.tolist() if isinstance(v, np.ndarray | np.generic) else v
        for k, v in attributes.items()
    }
