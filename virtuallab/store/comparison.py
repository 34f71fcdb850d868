"""Comparisons of recording designs, kept as zarr folders beside experiments."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import xarray as xr

from virtuallab.errors import StoreError
from virtuallab.store.files.atomic_replace import replace_folder
from virtuallab.store.files.atomic_write import writing
from virtuallab.store.layout.zarr_metadata import quiet_zarr, root_metadata

_COMPARISON: Final = "virtuallab_comparison"


def check_comparison(folder: Path) -> None:
    """Raise a StoreError if a path holds anything but an older comparison."""
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
    """Write a comparison as a zarr folder, in the place of an older one.

    Parameters
    ----------
    found : xr.Dataset
    folder : Path
        ``NAME.compare.zarr``.

    Raises
    ------
    StoreError, MachineError
        If something else is there; if the disk is full or fails.
    """
    check_comparison(folder)
    with writing(folder), replace_folder(folder) as draft, quiet_zarr():
        found.assign_attrs({_COMPARISON: 1}).to_zarr(str(draft), mode="w-", consolidated=False)


def _is_comparison(folder: Path) -> bool:
    try:
        return _COMPARISON in root_metadata(folder)["attributes"]
    except (OSError, ValueError, KeyError, TypeError):
        return False
