"""``open``: an experiment as an xarray tree."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Collection, Iterable
from pathlib import Path

import xarray as xr

from virtuallab.errors import VirtuallabWarning
from virtuallab.paths import expanded
from virtuallab.store import open_tree
from virtuallab.store.integrity.damage import Damage
from virtuallab.store.integrity.verification import damaged_parts


def open(path: str | Path) -> xr.DataTree:
    """Open an experiment: all coordinates are loaded, values are read when they are needed.

    Parameters
    ----------
    path : str or Path
        ``runs/NAME.zarr``.

    Returns
    -------
    xr.DataTree
        Its recordings have ``.lab``; see :class:`virtuallab.accessor.RecordingAccessor`.

    Raises
    ------
    StoreError
        If there is no experiment at this path.
    """
    return open_tree(expanded(path))


def open_undamaged(
    path: Path, opening: Callable[[Path, Collection[str]], xr.DataTree] = open_tree
) -> xr.DataTree:
    """Open an experiment after work on it; damaged parts are left out, with a warning of each.

    Parameters
    ----------
    path : Path
    opening : callable
        Opens the tree without some of its nodes.
    """
    own, added = damaged_parts(path)
    parts = own | added
    warn_of(damage for part in parts.values() for damage in part)
    return opening(path, parts)


def warn_of(damage: Iterable[Damage]) -> None:
    """Warn of damage that the work just done does not depend on."""
    for each in damage:
        warnings.warn(f"left out: {each}", VirtuallabWarning, stacklevel=3)
