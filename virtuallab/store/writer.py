"""Who may write into a store: whoever holds its lock, after what a kill left is mended."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from virtuallab.errors import StoreError
from virtuallab.store.files.atomic_write import writing
from virtuallab.store.files.lock import LOCK_FILE, locked
from virtuallab.store.integrity.commit_records import Records
from virtuallab.store.integrity.ownership import MARK, check_free, check_own, is_begun
from virtuallab.store.integrity.recovery import repair
from virtuallab.store.layout.location import check_place
from virtuallab.store.open import check_is_ours


@contextmanager
def writer(path: Path, *, makes: bool = False) -> Iterator[None]:
    """Hold a store as its only writer; mend what a kill left.

    Readers need nothing of this. Within the block other commands of this process may write too.

    Parameters
    ----------
    path : Path
        ``NAME.zarr``.
    makes : bool
        Whether a store that does not exist is made within the block.

    Raises
    ------
    StoreError
        If there is none and none is made, another process writes into it, its records belong to
        something else, or the place cannot be that of an experiment.
    """
    check_place(path)
    if not makes and not (path.is_dir() and path.suffix == ".zarr"):
        check_is_ours(path)
    if path.suffix != ".zarr":
        raise StoreError(f"{path}: an experiment's name ends in .zarr; call it {path}.zarr.")
    folder = Records(path).folder
    if os.path.lexists(path):
        if not (path.is_dir() and folder.is_dir()):  # then it may be no experiment at all
            check_is_ours(path)
        check_own(folder, path)
    else:
        check_free(folder, path)
        with writing(path):
            folder.mkdir(parents=True, exist_ok=True)
    with _held(path, folder) as is_first:
        if is_first and path.exists():
            repair(path)
        try:
            yield
        finally:
            if is_first and not path.exists():
                _forget(folder)


@contextmanager
def _held(path: Path, folder: Path) -> Iterator[bool]:
    lock = locked(path, folder)
    with writing(folder):
        is_first = lock.__enter__()
    try:
        yield is_first
    finally:
        lock.__exit__(None, None, None)


def _forget(records: Path) -> None:
    """Remove the records folder of a store that was not made after all."""
    with suppress(OSError):
        if is_begun(records):
            shutil.rmtree(records / ".aside", ignore_errors=True)
            for name in (MARK, LOCK_FILE):
                (records / name).unlink(missing_ok=True)
            os.rmdir(records)  # noqa: PTH106
