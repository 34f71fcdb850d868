"""Replacement of folders by renaming: a folder is built elsewhere on the disk, then moved.

Nodes of a store are built, and replaced ones kept, in a staging folder, ``NAME.records/.aside``,
because a half-made node inside the store would be visible to readers. A kill can leave a node in
staging; :func:`restore_interrupted` moves it back. Only the holder of the lock may change nodes.
"""

from __future__ import annotations

import errno
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

_TAKEN = {errno.ENOTEMPTY, errno.EEXIST}


@contextmanager
def replace_folder(folder: Path) -> Iterator[Path]:
    """Yield a path to build a folder at; it replaces ``folder`` when the block succeeds.

    If two commands do so at once, the folder of the last one remains.
    """
    staging = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}.", suffix=".tmp"))
    try:
        yield staging / "new"
        for attempt in range(100):
            if folder.exists():
                folder.rename(staging / f"old-{attempt}")
            try:
                (staging / "new").rename(folder)
            except OSError as error:
                if error.errno not in _TAKEN:  # by another command, at the same time
                    raise
            else:
                break
    finally:
        shutil.rmtree(staging, ignore_errors=True)


@contextmanager
def replace_node(store: Path, node: str, staging: Path) -> Iterator[Path]:
    """Yield a path to build a node at; it takes its place when the block succeeds.

    Parameters
    ----------
    store : Path
        Root of the tree.
    node : str
        Path of the node in it; its parent exists.
    staging : Path
        Folder on the same disk.
    """
    new, old, place = staging / "new" / node, staging / "old" / node, store / node
    for leftover in (new, old):
        shutil.rmtree(leftover, ignore_errors=True)
        leftover.parent.mkdir(parents=True, exist_ok=True)
    yield new
    if place.exists():
        place.rename(old)
    new.rename(place)
    shutil.rmtree(staging)


def is_interrupted(staging: Path) -> bool:
    """Return whether staging may hold a node that belongs in the tree."""
    return (staging / "old").is_dir()


def restore_interrupted(store: Path, staging: Path) -> None:
    """Move a node that a kill left in staging between the two renames to its place."""
    for metadata in list((staging / "old").rglob("zarr.json")):
        node = metadata.parent.relative_to(staging / "old")
        is_array_of_a_node = (metadata.parent.parent / "zarr.json").exists()
        if not is_array_of_a_node and not (store / node).exists():
            metadata.parent.rename(store / node)


def remove_nodes(store: Path, nodes: Sequence[str], staging: Path) -> None:
    """Remove nodes from the tree, and the groups that become empty.

    For readers each disappears at once. After a kill the remaining nodes are still there, and
    :func:`restore_interrupted` returns none of the removed ones.

    Parameters
    ----------
    store : Path
        Root of the tree.
    nodes : sequence of str
        Missing ones are skipped.
    staging : Path
        Folder on the same disk.
    """
    removed = staging / "removed"
    shutil.rmtree(removed, ignore_errors=True)
    for node in nodes:
        place = store / node
        while place != store and (place == store / node or not _has_folders(place)):
            if place.is_dir():
                away = removed / place.relative_to(store)
                away.parent.mkdir(parents=True, exist_ok=True)
                place.rename(away)
                shutil.rmtree(away)
            place = place.parent
    shutil.rmtree(staging, ignore_errors=True)


def _has_folders(group: Path) -> bool:
    return any(each.is_dir() for each in group.glob("*"))
