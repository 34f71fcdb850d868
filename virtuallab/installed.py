"""Entry points of installed distributions, also if some of them are malformed.

``importlib.metadata.entry_points`` parses all of them and stops at the first malformed one.
Libraries that find their plug-ins in this way (xarray, zarr, numcodecs, dask, torch) then fail
because of an unrelated distribution.
"""

from __future__ import annotations

import contextlib
import importlib
import logging
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from importlib.metadata import distributions
from typing import Any

from virtuallab.text import printable

_LOG = logging.getLogger("virtuallab")
_warned: set[str] = set()


def declared_by(distribution: Any, *, warn: bool = True) -> Iterable[Any] | None:
    """Return the entry points of a distribution; None, with one warning, if they are malformed."""
    try:
        return tuple(distribution.entry_points)
    except Exception as error:
        name = name_of(distribution)
        if warn and name not in _warned:
            _warned.add(name)
            text = "Warning: plug-ins of %s are left out: its entry_points.txt is malformed: %s"
            _LOG.warning(text, printable(name), in_a_line(error))
        return None


# Any, because entry points have other classes if the backport importlib_metadata is imported.
@cache
def our_entry_points() -> tuple[tuple[str, Any], ...]:
    """Return the entry points of our groups, each with the name of its distribution.

    ``importlib.metadata.entry_points`` parses those of every distribution and stops at the first
    malformed one; here only distributions that mention virtuallab are parsed.
    """
    found: list[tuple[str, Any]] = []
    seen: set[str] = set()
    for distribution in distributions():
        try:
            text = distribution.read_text("entry_points.txt") or ""
        except (OSError, ValueError):
            continue  # not readable, so without plug-ins
        if "virtuallab." not in text:
            continue
        name = name_of(distribution)
        if name in seen:  # shadowed by another installation earlier on the path
            continue
        seen.add(name)
        declared = declared_by(distribution) or ()
        found += [(name, point) for point in declared if point.group.startswith("virtuallab.")]
    return tuple(found)


def pass_over_malformed(*, warn: bool = True) -> None:
    """Hide distributions with malformed entry points from this process.

    To be called before libraries that find plug-ins are imported: zarr and numcodecs do so on
    import. Further calls have no effect.

    Parameters
    ----------
    warn : bool
        True to warn of each of them once.
    """
    for name in ("importlib.metadata", "importlib_metadata"):  # dask uses the backport
        with contextlib.suppress(ImportError):
            module: Any = importlib.import_module(name)
            if not isinstance(module.distributions, _WellFormed):
                module.distributions = _WellFormed(module.distributions, warn=warn)


class _WellFormed:
    """Search for installed distributions that omits those with malformed entry points."""

    def __init__(self, every: Callable[..., Iterable[Any]], *, warn: bool) -> None:
        self._every = every
        self._warn = warn

    def __call__(self, **wanted: Any) -> Iterator[Any]:
        found = self._every(**wanted)
        return (each for each in found if declared_by(each, warn=self._warn) is not None)


def begin_process() -> None:
    """Prepare a worker process: import plug-ins, without the warnings of its parent."""
    from virtuallab import plugins

    pass_over_malformed(warn=False)
    plugins.load_inherited()


def name_of(distribution: Any) -> str:
    """Return the name of a distribution; the path of its metadata if it has none."""
    with contextlib.suppress(Exception):
        name = distribution.metadata["Name"]
        if name:
            return str(name)
    return str(getattr(distribution, "_path", "a distribution without a name"))


def in_a_line(error: BaseException) -> str:
    """Return an exception in one line."""
    message = " ".join(printable(str(error)).split())
    return f"{type(error).__name__}: {message}" if message else type(error).__name__
