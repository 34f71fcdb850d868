"""Build a folder aside and put it in its place whole.

What is being built, and what is being replaced, lie in ``NAME.records/.aside``: inside the store a
half-made node would be seen by readers. A kill can leave a node there; :func:`put_back` returns it.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replacing(store: Path, node: str, aside: Path) -> Iterator[Path]:
    """Yield a folder in which to build a node; it takes its place when the block ends well.

    Parameters
    ----------
    store : Path
        Root of the tree.
    node : str
        Place in it; its parent is there.
    aside : Path
        Folder on the same disk, for what is being made and what is being replaced.
    """
    new, old, place = aside / "new" / node, aside / "old" / node, store / node
    for leftover in (new, old):
        shutil.rmtree(leftover, ignore_errors=True)
        leftover.parent.mkdir(parents=True, exist_ok=True)
    yield new
    if place.exists():
        place.rename(old)
    new.rename(place)
    shutil.rmtree(aside)


def put_back(store: Path, aside: Path) -> None:
    """Return a node that a kill left aside between the two renames."""
    for metadata in list((aside / "old").rglob("zarr.json")):
        node = metadata.parent.relative_to(aside / "old")
        is_array_of_a_node = (metadata.parent.parent / "zarr.json").exists()
        if not is_array_of_a_node and not (store / node).exists():
            metadata.parent.rename(store / node)
