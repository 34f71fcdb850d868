"""The one writer of values over subjects, and their checksums.

Writes that share a chunk lose data without an error: each writer reads the chunk, changes its part
and puts the whole back. So one chunk holds exactly one subject, and is written whole.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
import zarr

from virtuallab.errors import StoreError
from virtuallab.store.files.digest import digest
from virtuallab.store.layout.arrays import is_text, value_dims

Checksums = Mapping[str, Mapping[str, str]]  # node -> variable -> checksum

_CHUNK = re.compile(r"c\.[0-9]+((?:\.0)*)")


def check_chunk(
    array: zarr.Array[Any], path: str, subject: int, value: xr.Variable | np.ndarray
) -> None:
    """Refuse anything but one whole chunk of one subject.

    Parameters
    ----------
    array : zarr.Array
        What is declared.
    path : str
        Where it is, for the message.
    subject : int
        Index of the subject.
    value : xr.Variable or np.ndarray
        One subject's values, without a subject axis; only the former says its dims.

    Raises
    ------
    StoreError
    """
    if not 0 <= subject < array.shape[0]:
        raise StoreError(f"{path} has subjects 0 to {array.shape[0] - 1}, not {subject}.")
    if array.chunks != (1, *array.shape[1:]) or array.shards is not None:
        raise StoreError(f"{path} does not have one chunk a subject; writes would destroy others.")
    dims = value_dims(array)
    found = tuple(map(str, value.dims)) if isinstance(value, xr.Variable) else dims
    same_type = value.dtype == array.dtype or (is_text(value.dtype) and is_text(array.dtype))
    if (found, value.shape) != (dims, array.shape[1:]) or not same_type:
        raise StoreError(
            f"{path} takes {_spell(dims, array.shape[1:])} {array.dtype} of a subject, "
            f"not {_spell(found, value.shape)} {value.dtype}."
        )


def write_chunk(array: zarr.Array[Any], subject: int, value: np.ndarray) -> None:
    """Write one subject's chunk whole; nothing else in the package writes a part of an array."""
    array[subject : subject + 1] = value[np.newaxis]


def chunk_file(array: zarr.Array[Any], subject: int) -> Path:
    """Return the file below the store that holds one subject's chunk."""
    key = array.metadata.encode_chunk_key((subject, *[0] * (array.ndim - 1)))
    return Path(array.path) / key


def find_chunk(folder: Path, subject: int) -> Path:
    """Return the same file, told from the names of the others: for arrays without sound metadata.

    Parameters
    ----------
    folder : Path
        Of the array.
    subject : int
        Index of the subject.
    """
    axes = ""
    with suppress(OSError), os.scandir(folder) as others:
        axes = next((found[1] for each in others if (found := _CHUNK.fullmatch(each.name))), "")
    return folder / f"c.{subject}{axes}"


def checksum(value: np.ndarray) -> str:
    """Digest of the values; of text, of its characters and where each piece ends.

    >>> checksum(np.array(["ab", "c"])) == checksum(np.array(["a", "bc"]))
    False
    """
    if is_text(value.dtype):
        content = "".join(f"{len(str(word))}:{word}" for word in value.ravel()).encode()
    else:
        content = np.ascontiguousarray(value).tobytes()
    return digest(content)


def is_intact(store: Path, array: zarr.Array[Any], subject: int, expected: str) -> bool:
    """Say whether a stored chunk is there and still has the checksum it was written with."""
    # Asked first, because a chunk that is gone reads as zeros.
    if not (store / chunk_file(array, subject)).is_file():
        return False
    try:
        return checksum(np.asarray(array[subject])) == expected
    except Exception:  # a torn chunk can fail in any codec, in ways of its own
        return False


def _spell(dims: tuple[str, ...], shape: tuple[int, ...]) -> str:
    return f"({', '.join(f'{dim} {size}' for dim, size in zip(dims, shape, strict=True))})"
