"""Chunks of values over subjects, and their checksums.

Writers that share a chunk lose data without an error: each reads the chunk, changes its part and
writes it back. So one chunk holds exactly one subject, and is written whole.
"""

from __future__ import annotations

import os
import re
import uuid
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
import zarr

from virtuallab.errors import StoreError
from virtuallab.store.files.digest import digest
from virtuallab.store.layout.arrays import is_text, value_dims

_CHUNK = re.compile(r"c\.[0-9]+((?:\.0)*)")


def check_chunk(
    array: zarr.Array[Any], path: str, subject: int, value: xr.Variable | np.ndarray
) -> None:
    """Raise a StoreError for anything but one whole chunk of one subject.

    Parameters
    ----------
    array : zarr.Array
        As it was declared.
    path : str
        Of the array, for the message.
    subject : int
        Index of the subject.
    value : xr.Variable or np.ndarray
        One subject's values, without a subject axis; a Variable's dims are compared too.
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
            f"{path} takes {_axes(dims, array.shape[1:])} {array.dtype} of a subject, "
            f"not {_axes(found, value.shape)} {value.dtype}."
        )


def write_chunk(array: zarr.Array[Any], subject: int, value: np.ndarray) -> None:
    """Write one subject's chunk whole; nothing else in the package writes a part of an array.

    Numbers are encoded here, as zarr encodes them: a small chunk takes zarr a millisecond, because
    each call goes through its threads.
    """
    content = _encoded(array, value)
    if content is None:
        array[subject : subject + 1] = value[np.newaxis]
    else:
        _replace_file(array.store.root / chunk_file(array, subject), content)  # type: ignore[attr-defined]


def _encoded(array: zarr.Array[Any], value: np.ndarray) -> bytes | None:
    """Content of a chunk in zarr's default encoding of numbers; None for another encoding."""
    # Not above: a command that only counts records does without these packages.
    import numcodecs
    from zarr.codecs import BytesCodec, ZstdCodec
    from zarr.storage import LocalStore

    order, *others = array.metadata.codecs  # type: ignore[union-attr]
    packed = others[0] if len(others) == 1 else None
    if not isinstance(array.store, LocalStore):
        return None
    if not isinstance(order, BytesCodec) or not isinstance(packed, ZstdCodec):
        return None
    if getattr(order.endian, "value", "little") != "little":
        return None
    little = value.astype(value.dtype.newbyteorder("<"), copy=False)
    return bytes(numcodecs.Zstd(packed.level, packed.checksum).encode(little.tobytes()))


def _replace_file(path: Path, content: bytes) -> None:
    """Write a file completely or not at all, as zarr does."""
    draft = path.with_suffix(f".{uuid.uuid4().hex}.partial")
    try:
        draft.write_bytes(content)
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise


def chunk_file(array: zarr.Array[Any], subject: int) -> Path:
    """Return the path, below the store, of the file with one subject's chunk."""
    key = array.metadata.encode_chunk_key((subject, *[0] * (array.ndim - 1)))
    return Path(array.path) / key


def find_chunk_file(folder: Path, subject: int) -> Path:
    """Return the file of one subject's chunk, without the array's metadata.

    Parameters
    ----------
    folder : Path
        Of the array; the number of its axes is taken from the names of other subjects' files.
    subject : int
        Index of the subject.
    """
    axes = ""
    with suppress(OSError), os.scandir(folder) as others:
        axes = next((found[1] for each in others if (found := _CHUNK.fullmatch(each.name))), "")
    return folder / f"c.{subject}{axes}"


def checksum(value: np.ndarray) -> str:
    """Return the digest of values; of text, with the length of each string.

    >>> checksum(np.array(["ab", "c"])) == checksum(np.array(["a", "bc"]))
    False
    """
    if is_text(value.dtype):
        content = "".join(f"{len(str(word))}:{word}" for word in value.ravel()).encode()
    else:
        content = np.ascontiguousarray(value).tobytes()
    return digest(content)


def read_chunks(array: zarr.Array[Any], subjects: list[int]) -> np.ndarray | None:
    """Return values of some subjects, (subject, ...); None if a chunk cannot be read."""
    try:
        return np.asarray(array.oindex[np.array(subjects, dtype=np.intp)])
    except Exception:  # the error of a torn chunk depends on the codec
        return None


def _axes(dims: tuple[str, ...], shape: tuple[int, ...]) -> str:
    return f"({', '.join(f'{dim} {size}' for dim, size in zip(dims, shape, strict=True))})"
