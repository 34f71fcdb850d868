"""Exclusive access for writing into a store."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from virtuallab.store.files.atomic_write import writing
from virtuallab.store.files.lock import LOCK_FILE, locked
from virtuallab.store.integrity.ownership import (
    MARK_FILE,
    check_ownership,
    check_unclaimed,
    is_only_begun,
)
from virtuallab.store.integrity.recovery import recover_locked
from virtuallab.store.layout.location import (
    check_location,
    check_outside,
    check_suffix,
    records_folder,
)
from virtuallab.store.open import check_experiment


@contextmanager
def writer(path: Path, *, makes: bool = False) -> Iterator[None]:
    """Hold the lock of a store, so that no other process writes into it.

    Interrupted writes are recovered first. Within the block, other commands of this process may
    write too. Readers need no lock.

    Parameters
    ----------
    path : Path
        ``NAME.zarr``.
    makes : bool
        True if a store that does not exist is made within the block.

    Raises
    ------
    StoreError
        If there is no store and none is made, another process writes into it, its records belong to
        something else, or the path cannot be that of an experiment.
    """
    check_location(path)
    if not makes and not (path.is_dir() and path.suffix == ".zarr"):
        check_experiment(path)
    check_suffix(path)
    folder = records_folder(path)
    if os.path.lexists(path):
        if not (path.is_dir() and folder.is_dir()):  # then it may be no experiment at all
            check_experiment(path)
        check_ownership(folder, path)
    else:
        check_outside(path)
        check_unclaimed(folder, path)
        with writing(path):
            folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        with writing(folder):  # errors of taking the lock, not of the block
            is_first = stack.enter_context(locked(path, folder))
        if is_first and path.exists():
            recover_locked(path)
        try:
            yield
        finally:
            if is_first and not path.exists():
                _remove_begun(folder)


def _remove_begun(records: Path) -> None:
    """Remove the records folder of a store that was not made after all."""
    with suppress(OSError):
        if is_only_begun(records):
            shutil.rmtree(records / ".aside", ignore_errors=True)
            for name in (MARK_FILE, LOCK_FILE):
                (records / name).unlink(missing_ok=True)
            os.rmdir(records)  # noqa: PTH106
