"""Whether a path can be the place of an experiment, and of the files written beside it."""

from __future__ import annotations

import os
import re
from pathlib import Path

from virtuallab.errors import StoreError

_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:/")


def check_place(path: Path) -> None:
    """Refuse a path that cannot be the folder of an experiment, before anything is written.

    Parameters
    ----------
    path : Path
        ``NAME.zarr``; it need not exist.

    Raises
    ------
    StoreError
        If it is an address rather than a path, lies below a file, is the root of the disk, or
        holds characters by which zarr would take it for an address.
    """
    if not path.name:
        raise StoreError(f"{path} cannot be an experiment: give its folder, runs/NAME.zarr.")
    if _ADDRESS.match(str(path)):
        raise StoreError(
            f"{path} is an address, not a folder of this machine. Experiments are kept on a disk: "
            "runs/NAME.zarr."
        )
    # The whole path: zarr is handed that, wherever the command is called.
    if "::" in os.path.abspath(path):  # noqa: PTH100  # Path.absolute keeps `..`
        raise StoreError(
            f"{path}: '::' in a path joins addresses for zarr, so an experiment cannot be kept "
            "there. Choose a folder without it."
        )
    if "\0" in str(path):
        raise StoreError("a path cannot hold the character NUL.")
    above = next((each for each in path.parents if os.path.lexists(each)), None)
    if above is not None and not above.is_dir():
        what = "a link to nothing" if above.is_symlink() and not above.exists() else "a file"
        raise StoreError(f"{path} cannot be written: {above} is {what}, not a folder.")
