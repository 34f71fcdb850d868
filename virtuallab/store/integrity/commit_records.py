"""Commit records: a subject is done with a stage when its record is renamed into place.

The records lie beside the store, in ``NAME.records/STAGE/INDEX.json``, not in it: a folder in a
zarr hierarchy that is no zarr node makes every reader warn. They also hold what differs from run to
run (times, versions), so that the store itself is the same bytes however it came about.
"""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from virtuallab.store.files.atomic_write import writing
from virtuallab.store.files.digest import read_sealed, write_sealed
from virtuallab.store.integrity import repair_command as remedy
from virtuallab.store.integrity.damage import CHANGED, Damage, refuse
from virtuallab.store.integrity.manifest import Manifest
from virtuallab.vocabulary import subject_name


def records_folder(store: Path) -> Path:
    """Return the folder of a store's records, ``NAME.records``."""
    folder = _beside(store)
    if store.is_symlink() and not folder.exists():
        # A store reached by a link may have been made where it lies.
        return _beside(store.resolve())
    return folder


def _beside(store: Path) -> Path:
    # Not `with_suffix`: trial.1 and trial.2 are two experiments.
    return store.with_name(f"{store.name.removesuffix('.zarr')}.records")


# By name, so that copies which sync clients make ("000003 2.json") are passed over.
_RECORD = re.compile(r"[0-9]{6,}\.json")
_STAGE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]*")
_REMOVED = ".removed-"


class Records:
    """The commit records of one store."""

    def __init__(self, store: Path) -> None:
        self._store = store
        self.folder = records_folder(store)
        self._void: set[tuple[str, int]] = set()
        self._stage_of: dict[str, str] = {}

    def aside(self, store: Path) -> Path:
        """Folder in which nodes are built: on the store's disk, which may not be that of these.

        Parameters
        ----------
        store : Path
            The store, or the folder that it is to be in.
        """
        own = self.folder / ".aside"
        if not store.exists() or not self.folder.exists():
            return own
        place = store.resolve()
        is_near = place.stat().st_dev == self.folder.stat().st_dev
        return own if is_near else place.with_name(f".{place.name}.aside")

    def file(self, stage: str, index: int) -> Path:
        """Return where a subject's record of a stage lies."""
        return self.folder / stage / f"{index:06d}.json"

    def commit(self, stage: str, index: int, record: Mapping[str, Any]) -> None:
        """Say that a subject is done with a stage; call it after its chunks are on the disk."""
        with writing(self.folder):
            write_sealed(self.file(stage, index), {**record, "committed_at": time.time()})
        self._void.discard((stage, index))

    def make_anew(self, stage: str, index: int) -> None:
        """Take a subject for not done, until it is committed again; its file stays till then."""
        self._void.add((stage, index))

    def of(self, stage: str) -> dict[int, dict[str, Any]]:
        """Return the records of a stage by subject index.

        Raises
        ------
        MachineError
            If records are damaged; all of them are named.
        """
        found, damaged = self.scan(stage)
        refuse(damaged, self._store)
        return found

    def scan(self, stage: str) -> tuple[dict[int, dict[str, Any]], list[Damage]]:
        """Return the sound records of a stage by subject index, and the damaged ones."""
        found, damaged = self._read_all(stage)
        return found, [self._damage(stage, index) for index in damaged]

    def damaged(self, stage: str) -> list[int]:
        """Return the subjects whose record of a stage is damaged."""
        return self._read_all(stage)[1]

    def _read_all(self, stage: str) -> tuple[dict[int, dict[str, Any]], list[int]]:
        found: dict[int, dict[str, Any]] = {}
        damaged: list[int] = []
        for file in sorted((self.folder / stage).glob("*.json")):
            if not _RECORD.fullmatch(file.name):
                continue
            index = int(file.stem)
            if (stage, index) in self._void:
                continue
            try:
                found[index] = read_sealed(file)
            except (OSError, ValueError):
                damaged.append(index)
        return found, damaged

    def _damage(self, stage: str, index: int) -> Damage:
        try:
            attributes = Manifest.read(self.folder).root.get("attributes", {})
        except (OSError, ValueError, TypeError):
            attributes = {}
        file = self.file(stage, index)
        command = remedy.of_stage(self._store, stage, attributes)
        return Damage(file, CHANGED, command, subject_name(index))

    def checksums(self, node: str, index: int) -> tuple[str, dict[str, str]] | None:
        """Return what was committed of a subject in a node: the stage and the checksums, if any.

        A damaged record says nothing.
        """
        # The stage that wrote one subject's values in a node wrote the others' as well.
        known = self._stage_of.get(node)
        for stage in ([known] if known else []) + [s for s in self.stages() if s != known]:
            if (stage, index) in self._void:
                continue
            try:
                record = read_sealed(self.file(stage, index))
            except (OSError, ValueError):
                continue
            if node in record.get("checksums", {}):
                self._stage_of[node] = stage
                return stage, record["checksums"][node]
        return None

    def stages(self) -> list[str]:
        """Return the stages that have records."""
        folders = (path for path in self.folder.glob("*") if path.is_dir())
        return sorted(path.name for path in folders if _STAGE.fullmatch(path.name))

    def remove(self, stage: str) -> None:
        """Remove all records of a stage, at once for whoever reads them."""
        folder = self.folder / stage
        if folder.is_dir():
            removed = self.folder / f"{_REMOVED}{stage}"
            shutil.rmtree(removed, ignore_errors=True)
            folder.rename(removed)
        self.sweep()

    def sweep(self) -> None:
        """Delete what a killed removal has left."""
        for leftover in self.folder.glob(f"{_REMOVED}*"):
            shutil.rmtree(leftover)
