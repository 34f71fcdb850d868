"""Arrays that take long to compute, kept in memory and in the user's cache folder."""

from __future__ import annotations

import contextlib
import hashlib
import os
import threading
import zipfile
from collections.abc import Callable
from pathlib import Path
from tempfile import NamedTemporaryFile

import numpy as np
import platformdirs

_LOCK = threading.Lock()  # threads that ask for an array at once wait for the first to make it
_MEMORY: dict[str, np.ndarray] = {}


def cache_folder() -> Path:
    """Return the folder of cached arrays, which may be deleted at any time.

    It is the environment variable ``VIRTUALLAB_CACHE``, else the user's cache folder.
    """
    if folder := os.environ.get("VIRTUALLAB_CACHE"):
        return Path(folder)
    return Path(platformdirs.user_cache_path("virtuallab", appauthor=False))


def cached_array(name: str, key: str, make: Callable[[], np.ndarray]) -> np.ndarray:
    """Return an array from memory, else from its file, else made anew and kept in both.

    A file that cannot be read is made again. An array whose file cannot be written is kept in
    memory alone.

    Parameters
    ----------
    name : str
        Start of the file's name.
    key : str
        All that determines the array; its digest is the rest of the file's name.
    make : callable
        Returns the array.

    Returns
    -------
    array, of any shape
        Read-only.
    """
    digest = hashlib.sha256(key.encode()).hexdigest()[:24]
    with _LOCK:
        if digest not in _MEMORY:
            file = cache_folder() / f"{name}-{digest}.npz"
            found = _read(file)
            if found is None:
                found = make()
                with contextlib.suppress(OSError):
                    _write(file, found)
            found.setflags(write=False)
            _MEMORY[digest] = found
        return _MEMORY[digest]


def _read(file: Path) -> np.ndarray | None:
    try:
        # numpy leaves a damaged file open if it opens it; reading the zip file verifies a checksum.
        with file.open("rb") as opened, np.load(opened, allow_pickle=False) as stored:
            return np.asarray(stored["values"])
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None


def _write(file: Path, values: np.ndarray) -> None:
    """Write a file that other processes see whole or not at all."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with NamedTemporaryFile(dir=file.parent, prefix=".", suffix=".npz", delete=False) as partial:
        try:
            np.savez(partial, values=values)
            partial.close()
            Path(partial.name).replace(file)
        except BaseException:
            partial.close()
            Path(partial.name).unlink(missing_ok=True)
            raise
