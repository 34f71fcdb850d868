"""Write files so that they are there whole or not at all, and say plainly when a disk fails."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from virtuallab.errors import MachineError, StoreError

# EFBIG: the limit on the size of a file, which some clusters set in place of a quota.
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Raise what goes wrong while writing below ``path`` as one clear error.

    Raises
    ------
    MachineError
        If the disk is full or fails.
    StoreError
        If the place may not be written.
    """
    try:
        yield
    except (PermissionError, NotADirectoryError) as error:
        raise StoreError(f"{path} cannot be written: {error.strerror}.") from error
    except OSError as error:
        if error.errno in _FULL:
            raise MachineError(
                f"the disk is full: {path} could not grow. What is stored is kept; make room and "
                "run the same command again, and it goes on from here."
            ) from error
        raise MachineError(
            f"{path} could not be written: {error}. What is stored is kept; the same command goes "
            "on from here."
        ) from error


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write a small file so that it is there whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.tmp")
    with draft.open("w", encoding="utf-8") as file:
        json.dump(content, file, allow_nan=False)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def settle(path: Path) -> None:
    """Wait until what was written to a file is on the disk, not only in memory."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
