"""Metadata of the whole tree, consolidated in the root's file so that a reader opens one file.

Outdated consolidated metadata hides new nodes and lists removed ones. So every change of the tree
first removes it and consolidates again afterwards; writing chunks changes no metadata.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import zarr

from virtuallab.store.files.atomic_write import write_json
from virtuallab.store.files.digest import read_json

CONSOLIDATED: Final = "consolidated_metadata"
LEFT_OUT: Final = "left_out"  # attribute of the root of a copy: nodes that it does not have


def root_metadata(store: Path) -> dict[str, Any]:
    """Return the content of the root's metadata file; raises as :func:`read_json`."""
    return read_json(store / "zarr.json")


def is_consolidated(store: Path) -> bool:
    """Return whether the root's file holds the metadata of all nodes."""
    return CONSOLIDATED in root_metadata(store)


def consolidate(store: Path) -> None:
    """Copy the metadata of every node into the root's file."""
    with quiet_zarr():
        zarr.consolidate_metadata(str(store))


def unconsolidate(store: Path) -> None:
    """Remove consolidated metadata from the root's file; each node has its own."""
    content = root_metadata(store)
    if content.pop(CONSOLIDATED, None) is not None:
        write_json(store / "zarr.json", content)


@contextmanager
def quiet_zarr() -> Iterator[None]:
    """Silence zarr's warnings on features that our stores use, and on foreign files in them.

    Consolidated metadata and strings are newer than the specification of zarr version 3;
    ``.DS_Store`` and the like are no nodes.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Object at .* is not recognized as a component")
        warnings.filterwarnings("ignore", message="Consolidated metadata is currently not part")
        warnings.filterwarnings("ignore", message=".*does not have a Zarr V3 specification")
        yield
