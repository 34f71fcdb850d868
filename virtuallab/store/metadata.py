"""The metadata of the whole tree, gathered in one file so that a reader opens one.

Gathered metadata that is out of date hides what was added since, and says that what was taken away
is there. So whoever changes the tree spreads it first and gathers it after; chunks change nothing.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import zarr

from virtuallab.store.disk import write_json

_GATHERED = "consolidated_metadata"


def root_metadata(store: Path) -> dict[str, Any]:
    """Content of the root's metadata file; raises OSError or ValueError if there is none."""
    content = json.loads((store / "zarr.json").read_text(encoding="utf-8"))
    if not isinstance(content, dict):
        raise TypeError(f"{store / 'zarr.json'} holds no mapping")
    return content


def is_gathered(store: Path) -> bool:
    """Say whether the root's file holds the metadata of all."""
    return _GATHERED in root_metadata(store)


def gather(store: Path) -> None:
    """Put the metadata of every node into the root's file."""
    with quiet():
        zarr.consolidate_metadata(str(store))


def spread(store: Path) -> None:
    """Take gathered metadata out of the root's file again: each node has its own."""
    content = root_metadata(store)
    if content.pop(_GATHERED, None) is not None:
        write_json(store / "zarr.json", content)


@contextmanager
def quiet() -> Iterator[None]:
    """Silence zarr's notes on files that are no nodes, and on what is younger than its v3 text."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Consolidated metadata is currently not part")
        warnings.filterwarnings("ignore", message=".*does not have a Zarr V3 specification")
        # Files that systems and sync clients leave in every folder (.DS_Store) are no nodes.
        warnings.filterwarnings("ignore", message="Object at .* is not recognized as a component")
        yield
