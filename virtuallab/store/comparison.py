"""Folders written beside experiments: whole or not at all, and only in the place of our own."""

from __future__ import annotations

import errno
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import xarray as xr

from virtuallab.errors import StoreError
from virtuallab.store.files.atomic_write import writing
from virtuallab.store.layout.zarr_metadata import quiet, root_metadata

_TAKEN = {errno.ENOTEMPTY, errno.EEXIST}
_COMPARISON: Final = "virtuallab_comparison"


@contextmanager
def replaced(folder: Path) -> Iterator[Path]:
    """Yield a folder to be built; it takes the place of an older one when the block ends well.

    Two commands may do so at once: the last one's stays.

    Parameters
    ----------
    folder : Path
        The place. Whatever is there is removed: see first that it is ours.
    """
    aside = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}.", suffix=".tmp"))
    try:
        yield aside / "new"
        for attempt in range(100):
            if folder.exists():
                folder.rename(aside / f"old-{attempt}")
            try:
                (aside / "new").rename(folder)
            except OSError as error:
                if error.errno not in _TAKEN:  # by another command, in this moment
                    raise
            else:
                break
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def check_comparison(folder: Path) -> None:
    """Refuse a place where a comparison cannot be kept, as something else is there.

    Raises
    ------
    StoreError
    """
    if folder.is_symlink():
        raise StoreError(
            f"{folder} is a link, through which nothing is written. Remove it, or rename the "
            "protocol."
        )
    if folder.exists() and not _is_comparison(folder):
        raise StoreError(
            f"{folder} is there already, and is no comparison of virtuallab. It was left alone: "
            "move it away, or rename the protocol."
        )


def write_comparison(found: xr.Dataset, folder: Path) -> None:
    """Keep a comparison as a zarr folder, in the place of an older one.

    Parameters
    ----------
    found : xr.Dataset
    folder : Path
        ``NAME.compare.zarr``.

    Raises
    ------
    StoreError
        If something else is there.
    MachineError
        If the disk is full or fails.
    """
    check_comparison(folder)
    with writing(folder), replaced(folder) as draft, quiet():
        found.assign_attrs({_COMPARISON: 1}).to_zarr(str(draft), mode="w-", consolidated=False)


def _is_comparison(folder: Path) -> bool:
    try:
        attributes: dict[str, Any] = root_metadata(folder)["attributes"]
    except (OSError, ValueError, KeyError, TypeError):
        return False
    return _COMPARISON in attributes
