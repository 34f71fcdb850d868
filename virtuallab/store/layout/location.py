"""Paths of an experiment and of its records, checked before anything is written."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Final

from virtuallab.errors import StoreError

ROOT_FILE: Final = "zarr.json"  # in each store
_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:/")
_SYSTEM_FILE = re.compile(r"\._.*|\.DS_Store|Thumbs\.db|desktop\.ini", re.IGNORECASE)


def records_folder(store: Path) -> Path:
    """Return the records folder of a store, ``NAME.records`` beside ``NAME.zarr``."""
    folder = _beside(store)
    if store.is_symlink() and not folder.exists():
        # A store reached by a link may have its records beside the link's target.
        return _beside(store.resolve())
    return folder


def _beside(store: Path) -> Path:
    # Not `with_suffix`: trial.1 and trial.2 are two experiments.
    return store.with_name(f"{store.name.removesuffix('.zarr')}.records")


def check_suffix(path: Path) -> None:
    """Raise a StoreError if the name of an experiment does not end in ``.zarr``."""
    if path.suffix != ".zarr":
        raise StoreError(f"{path}: an experiment's name ends in .zarr; call it {path}.zarr.")


def check_location(path: Path) -> None:
    """Raise a StoreError if a path, which need not exist, cannot be that of an experiment.

    Such are addresses, the root of the disk, paths below a file, and paths that zarr would read as
    an address.
    """
    if not path.name:
        raise StoreError(f"{path} cannot be an experiment: give its folder, runs/NAME.zarr.")
    if _ADDRESS.match(str(path)):
        raise StoreError(
            f"{path} is an address, not a folder of this machine. Experiments are kept on a disk: "
            "runs/NAME.zarr."
        )
    # The whole path: zarr receives that, wherever the command is called.
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


def enclosing_store(path: Path) -> Path | None:
    """Return the store inside which, or inside whose records, a path lies; None if none."""
    found = None
    for above in Path(os.path.realpath(path)).parents:  # Path.resolve raises where links loop
        store = above.with_name(f"{above.stem}.zarr") if above.suffix == ".records" else above
        if (store / ROOT_FILE).is_file():
            found = store  # the last is the store itself, and not a node of it
    return found


def check_outside(path: Path) -> None:
    """Raise a StoreError if a path, at which a store is to be made, is inside another store."""
    if store := enclosing_store(path):
        raise StoreError(f"{path} is inside the experiment {store.name}. Choose another folder.")


def is_system_file(name: str) -> bool:
    """Return whether operating systems leave a file of this name in folders (``.DS_Store``)."""
    return _SYSTEM_FILE.fullmatch(name) is not None
