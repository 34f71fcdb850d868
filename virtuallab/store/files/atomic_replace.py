"""Build a folder aside and put it in its place whole.

What is being built, and what is being replaced, lie in ``NAME.records/.aside``: inside the store a
half-made node would be seen by readers. A kill can leave a node there; :func:`put_back` returns it.
Only who holds the lock of the store may call what is here.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
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


def is_interrupted(aside: Path) -> bool:
    """Whether a node may lie aside that belongs in the tree."""
    return (aside / "old").is_dir()


def remove(store: Path, nodes: Sequence[str], aside: Path) -> None:
    """Take nodes out of the tree, and groups that are empty without them.

    Each is gone at once for readers. A kill leaves what was not taken yet, and
    :func:`put_back` returns nothing of what was.

    Parameters
    ----------
    store : Path
    nodes : sequence of str
        Those that are not there are passed over.
    aside : Path
        Folder on the same disk.
    """
    removed = aside / "removed"
    shutil.rmtree(removed, ignore_errors=True)
    for node in nodes:
        place = store / node
        while place != store and _is_whole(place, store / node):
            if place.is_dir():
                away = removed / place.relative_to(store)
                away.parent.mkdir(parents=True, exist_ok=True)
                place.rename(away)
                shutil.rmtree(away)
            place = place.parent
    shutil.rmtree(aside, ignore_errors=True)


def _is_whole(place: Path, node: Path) -> bool:
    """Whether a folder is the node itself, or a group above it in which nothing is left."""
    return place == node or not any(each.is_dir() for each in place.glob("*"))
