"""Storage of a search by Optuna: one file to which every trial is added; it survives a kill."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from virtuallab.errors import StoreError, UserError
from virtuallab.store.files.atomic_write import writing

if TYPE_CHECKING:
    from optuna.storages import JournalStorage

_FIRST = b'{"op_code":'  # what a journal begins with


@contextmanager
def open_storage(path: Path) -> Iterator[JournalStorage]:
    """Open the file of a search, or create it; no other process may use it meanwhile.

    Raises
    ------
    UserError
        If another process searches with it.
    StoreError
        If Optuna cannot read it, it is a link, or something else has the name of its lock.
    MachineError
        If the disk is full or fails.
    """
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock

    if path.is_symlink():
        raise StoreError(f"{path} is a link, through which nothing is written. Remove it first.")
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("ab+")
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UserError(f"another search is using {path}. Wait for it to end.") from None
        _check_format(path)
        # Nobody else is here, so a lock that is left over is that of a search that was killed.
        _remove_lock(Path(f"{path}.lock"))
        _end_at_a_whole_line(path)
        try:
            storage = JournalStorage(JournalFileBackend(str(path), JournalFileOpenLock(str(path))))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise _unreadable(path) from error
        yield storage


def _remove_lock(path: Path) -> None:
    """Remove Optuna's lock, an empty file; anything else of that name is the user's."""
    if not os.path.lexists(path):
        return
    if path.is_symlink() or not path.is_file() or path.stat().st_size:
        raise StoreError(f"{path} is in the way: a search makes a file of that name. Move it away.")
    path.unlink(missing_ok=True)


def _check_format(path: Path) -> None:
    """Refuse a file of another kind before anything in it is changed."""
    with path.open("rb") as file:
        start = file.read(len(_FIRST))
    if not _FIRST.startswith(start):
        raise _unreadable(path)


def _unreadable(path: Path) -> StoreError:
    return StoreError(f"{path} is damaged, or is no file of a search. Move it away to start again.")


def _end_at_a_whole_line(path: Path) -> None:
    """Cut off what a killed process had written of its last line."""
    with path.open("rb+") as file:
        size = file.seek(0, os.SEEK_END)
        kept = size
        while kept:
            file.seek(kept - 1)
            if file.read(1) == b"\n":
                break
            kept -= 1
        if kept < size:
            file.truncate(kept)
