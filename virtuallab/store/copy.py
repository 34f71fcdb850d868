"""Copy of a store without some of its nodes."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

from virtuallab.errors import MachineError
from virtuallab.store.create import refuse_existing
from virtuallab.store.files.atomic_write import write_json, writing
from virtuallab.store.files.digest import write_json_with_digest
from virtuallab.store.integrity.commit_records import CommitRecords
from virtuallab.store.integrity.manifest import MANIFEST_FILE, Manifest
from virtuallab.store.integrity.ownership import check_unclaimed, write_mark
from virtuallab.store.integrity.verification import read_manifest
from virtuallab.store.layout.location import (
    check_location,
    check_outside,
    check_suffix,
    records_folder,
)
from virtuallab.store.layout.zarr_metadata import CONSOLIDATED, LEFT_OUT, root_metadata
from virtuallab.store.store import Store


def copy_store(source: Store, path: Path, *, without: Sequence[str]) -> Store:
    """Copy a store without some nodes, completely or not at all.

    The bytes of the nodes that are copied stay the same, and each file is compared with the digest
    that the source has of it.

    Parameters
    ----------
    source : Store
        No process writes into it.
    path : Path
        ``NAME.zarr``; nothing may exist there.
    without : sequence of str
        Nodes that are left out with all below them, ``("snapshots",)``. The root of the copy names
        them in its attribute ``left_out``.

    Returns
    -------
    Store
        The copy, with its own commit records.

    Raises
    ------
    StoreError, MachineError
        If the path exists or cannot be that of an experiment; if a file of the source is damaged;
        if the disk fails.
    """
    check_location(path)
    check_suffix(path)
    check_outside(path)
    refuse_existing(path)
    folder = records_folder(path)
    check_unclaimed(folder, path)
    refuse_existing(folder)
    with writing(path.parent, resumable=False):
        path.parent.mkdir(parents=True, exist_ok=True)
        # Beside its place, so that it is there at once when it is complete.
        staging = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp"))
        try:
            draft = staging / path.name
            _write(source, draft, sorted({*source.left_out, *without}))
            if damage := Store(draft).verify():
                raise MachineError(
                    f"{source.path} is damaged ({len(damage)} files), so it was not copied. "
                    f"`virtuallab status {shlex.quote(str(source.path))} --verify` names them."
                )
            records_folder(draft).rename(folder)
            draft.rename(path)
        finally:
            shutil.rmtree(staging, ignore_errors=True)
    return Store(path)


def _write(source: Store, draft: Path, left_out: Sequence[str]) -> None:
    """Write the copy and its records, which lie beside it."""
    below = tuple(f"{node}/" for node in left_out)

    def is_kept(node: str) -> bool:
        return not f"{node}/".startswith(below)

    _copy_files(source.path, draft, is_kept)
    root = root_metadata(source.path)
    root.pop(CONSOLIDATED, None)
    root["attributes"] = {**root["attributes"], LEFT_OUT: json.dumps(left_out)}
    write_json(draft / "zarr.json", root)
    folder = records_folder(draft)
    nodes = {node: v for node, v in read_manifest(source.path).nodes.items() if is_kept(node)}
    folder.mkdir()
    Manifest(folder / MANIFEST_FILE, root=root, nodes=nodes).write()
    write_mark(folder, root["attributes"])
    before, now = CommitRecords(source.path), CommitRecords(draft)
    for stage in before.stages():
        for index, record in before.of(stage).items():
            write_json_with_digest(now.file(stage, index), _without(record, is_kept))
    Store(draft).finish()


def _copy_files(source: Path, draft: Path, is_kept: Callable[[str], bool]) -> None:
    """Copy the files of nodes that are kept.

    Unlike :func:`shutil.copytree`, this stops at the first error, and gives the copies the
    permissions of new files: those of an archive may be read-only.
    """
    for name, folders, files in os.walk(source, followlinks=True, onerror=_refuse_unreadable):
        folder = Path(name)
        place = folder.relative_to(source)
        folders[:] = [each for each in folders if is_kept((place / each).as_posix())]
        (draft / place).mkdir()
        for file in files:
            try:
                content = (folder / file).open("rb")
            except OSError as error:
                _refuse_unreadable(error)
            with content, (draft / place / file).open("wb") as copy:
                shutil.copyfileobj(content, copy)


def _refuse_unreadable(error: OSError) -> NoReturn:
    raise MachineError(
        f"{error.filename} cannot be read ({error.strerror}), so nothing was copied."
    ) from error


def _without(record: Mapping[str, Any], is_kept: Callable[[str], bool]) -> dict[str, Any]:
    """Return a commit record without the checksums of nodes that are left out."""
    found = dict(record)
    for key in ("checksums", "files"):
        if key in found:
            found[key] = {node: each for node, each in found[key].items() if is_kept(node)}
    return found
