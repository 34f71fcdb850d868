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
from typing import Any, Final

import zarr

from virtuallab.store.files.atomic_write import write_json

GATHERED: Final = "consolidated_metadata"


def root_metadata(store: Path) -> dict[str, Any]:
    """Content of the root's metadata file; raises OSError or ValueError if there is none."""
    text = (store / "zarr.json").read_text(encoding="utf-8")
    try:
        content = json.loads(text)
    except RecursionError:
        raise ValueError(f"{store / 'zarr.json'} is nested too deeply") from None
    if not isinstance(content, dict):
        raise TypeError(f"{store / 'zarr.json'} holds no mapping")
    return content


def is_gathered(store: Path) -> bool:
    """Say whether the root's file holds the metadata of all."""
    return GATHERED in root_metadata(store)


def gather(store: Path) -> None:
    """Put the metadata of every node into the root's file."""
    with quiet():
        zarr.consolidate_metadata(str(store))


def spread(store: Path) -> None:
    """Take gathered metadata out of the root's file again: each node has its own."""
    content = root_metadata(store)
    if content.pop(GATHERED, None) is not None:
        write_json(store / "zarr.json", content)


@contextmanager
def quiet() -> Iterator[None]:
    """Silence what zarr notes of every store of ours, and of files that others put into one.

    Gathered metadata and strings are younger than the text of zarr's version 3; ``.DS_Store`` and
    the like are nobody's nodes.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Object at .* is not recognized as a component")
        warnings.filterwarnings("ignore", message="Consolidated metadata is currently not part")
        warnings.filterwarnings("ignore", message=".*does not have a Zarr V3 specification")
        yield
