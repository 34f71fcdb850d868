"""Calls of libraries that read files, with one clear message for their errors.

Only calls of a library belong inside :func:`reading_file`. The error of a library on a damaged file
depends on the damage, so any error inside counts as damage; errors of our own code are raised
outside.
"""

from __future__ import annotations

import gc
import sys
import traceback
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from types import ModuleType

from virtuallab.errors import MissingLibrary, UserError


def import_library(name: str, purpose: str, extra: str | None = None) -> ModuleType:
    """Import an optional library.

    Parameters
    ----------
    name : str
        Of the module, which is that of its distribution.
    purpose : str
        Purpose in the message: ``"to read NWB files"``.
    extra : str, optional
        Extra of virtuallab that installs it.

    Raises
    ------
    MissingLibrary
        If it, or a library that it imports, is not installed.
    """
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        missing = (error.name or name).partition(".")[0]
        raise MissingLibrary(missing, purpose, extra if missing == name else None) from None


@contextmanager
def reading_file(path: Path, kind: str) -> Iterator[None]:
    """Turn errors of a library that reads ``path`` into a message; hide its warnings.

    Parameters
    ----------
    path : Path
    kind : str
        Format for messages: ``"a netCDF file"``.

    Raises
    ------
    UserError, MissingLibrary
        If the file may not be opened, is damaged, or has another format; if the library needs
        another one that is not installed.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except (MemoryError, UserError):
        raise
    except ModuleNotFoundError as error:
        raise MissingLibrary(str(error.name), f"to read {kind} ({path})") from None
    except PermissionError:
        raise UserError(f"{path}: may not be read (permission denied).") from None
    except Exception as error:
        _release(error)
        first = [*str(error).strip().splitlines(), type(error).__name__][0]
        if "required filter" in first or "hdf5/lib/plugin" in first:
            raise UserError(
                f"{path}: is compressed in a way that is not known here ({first}). Write it again "
                "with gzip compression."
            ) from None
        raise UserError(
            f"{path}: cannot be read as {kind}; it is damaged, or something else ({first}). Copy "
            "or write it again."
        ) from None


def _release(error: BaseException) -> None:
    """Release files that a library opened before it failed, without printing further errors.

    h5netcdf closes a file that it could not open when the object is collected, which raises.
    """
    hook, sys.unraisablehook = sys.unraisablehook, lambda _: None
    try:
        link: BaseException | None = error
        while link is not None:
            traceback.clear_frames(link.__traceback__)
            link = link.__cause__ or link.__context__
        gc.collect()
    finally:
        sys.unraisablehook = hook
