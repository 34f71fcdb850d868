"""What the distributions installed on this machine declare, whether or not we know them.

``importlib.metadata.entry_points`` parses what each of them declares and stops at the first that is
malformed. Libraries that look for their plug-ins in this way (xarray, zarr, numcodecs, dask, torch)
then fail, for a distribution that neither they nor we have ever heard of.
"""

from __future__ import annotations

import contextlib
import importlib
import logging
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from virtuallab.text import printable

_LOG = logging.getLogger("virtuallab")
_warned: set[str] = set()


def declared_by(distribution: Any, *, warn: bool = True) -> Iterable[Any] | None:
    """Entry points of a distribution; None, with one warning, if they are malformed."""
    try:
        return tuple(distribution.entry_points)
    except Exception as error:
        name = name_of(distribution)
        if warn and name not in _warned:
            _warned.add(name)
            text = "Warning: plug-ins of %s are left out: its entry_points.txt is malformed: %s"
            _LOG.warning(text, printable(name), in_a_line(error))
        return None


def pass_over_malformed(*, warn: bool = True) -> None:
    """Leave distributions with malformed entry points out of what this process finds installed.

    To be called before the libraries that look for plug-ins are imported: zarr and numcodecs do so
    as they are imported. Calling it again changes nothing.

    Parameters
    ----------
    warn : bool
        Name each of them once.
    """
    for name in ("importlib.metadata", "importlib_metadata"):  # dask reads by the backport
        with contextlib.suppress(ImportError):
            module: Any = importlib.import_module(name)
            if not isinstance(module.distributions, _Sound):
                module.distributions = _Sound(module.distributions, warn=warn)


class _Sound:
    """Finds what is installed, without what declares malformed entry points."""

    def __init__(self, every: Callable[..., Iterable[Any]], *, warn: bool) -> None:
        self._every = every
        self._warn = warn

    def __call__(self, **wanted: Any) -> Iterator[Any]:
        found = self._every(**wanted)
        return (each for each in found if declared_by(each, warn=self._warn) is not None)


def begin_process() -> None:
    """Prepare a process that this one starts; what there is to warn of, this one has said."""
    from virtuallab import plugins

    pass_over_malformed(warn=False)
    plugins.load_inherited()


def name_of(distribution: Any) -> str:
    """Name of a distribution, or else the place of its metadata."""
    with contextlib.suppress(Exception):
        name = distribution.metadata["Name"]
        if name:
            return str(name)
    return str(getattr(distribution, "_path", "a distribution without a name"))


def in_a_line(error: BaseException) -> str:
    """Write an exception in one line."""
    message = " ".join(printable(str(error)).split())
    return f"{type(error).__name__}: {message}" if message else type(error).__name__
