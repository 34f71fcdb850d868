"""Writing of small files, completely or not at all, with clear errors if a disk fails."""

from __future__ import annotations

import errno
import json
import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from virtuallab.errors import MachineError, StoreError

# EFBIG: the limit on the size of a file, which some clusters set in place of a quota.
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
# Faults of the chosen path: the same command would fail again.
_WRONG_PATH = {
    *(errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EISDIR, errno.EEXIST),
    *(errno.ENOTEMPTY, errno.ENAMETOOLONG, errno.ELOOP, errno.EINVAL),
}


@contextmanager
def writing(path: Path, *, resumable: bool = True) -> Iterator[None]:
    """Turn operating-system errors while writing below ``path`` into one clear error.

    Parameters
    ----------
    path : Path
        For the message.
    resumable : bool
        True if the same command, called again, continues from what is stored.

    Raises
    ------
    MachineError, StoreError
        If the disk is full or fails; if the path may not be written.
    """
    try:
        yield
    except OSError as error:
        if error.errno in _WRONG_PATH:
            where = "" if error.filename is None else f" ({error.filename})"
            raise StoreError(f"{path} cannot be written: {error.strerror}{where}.") from error
        if error.errno == errno.EXDEV:
            raise StoreError(
                f"{path} cannot be written: parts of it lie on different disks. An experiment and "
                "its records have to lie on one."
            ) from error
        if error.errno in _FULL:
            then = ", and it goes on from here" if resumable else ""
            raise MachineError(
                f"the disk is full: {path} could not grow. What is stored is kept; make room and "
                f"run the same command again{then}."
            ) from error
        then = "; the same command goes on from here" if resumable else ""
        raise MachineError(
            f"{path} could not be written: {error}. What is stored is kept{then}."
        ) from error


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write a mapping as JSON as :func:`write_text` does; folders above it are made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text(path, json.dumps(content, allow_nan=False))


def write_text(path: Path, text: str) -> None:
    """Write a file completely or not at all; an older one stays until the new one is complete.

    A pipe or a device is written to directly.

    Parameters
    ----------
    path : Path
        Its folder exists.
    text : str
        Written as UTF-8; halves of surrogate pairs are replaced.

    Raises
    ------
    StoreError, OSError
        If the path is a link, whose target is not ours to overwrite; if the disk fails.
    """
    content = text.encode("utf-8", "replace")
    if path.exists() and not path.is_file() and not path.is_dir():  # also by a link: /dev/stdout
        with path.open("wb") as device:
            device.write(content)
        return
    if path.is_symlink():
        raise StoreError(f"{path} is a link. It was left alone; remove it or choose another name.")
    # One draft for each writer: two commands at once must not write into the same file.
    draft = path.with_name(f"{path.name}.{os.getpid()}.{threading.get_ident()}.tmp")
    try:
        with draft.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise


def flush_to_disk(path: Path) -> None:
    """Wait until a written file is on the disk, not only in memory."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
