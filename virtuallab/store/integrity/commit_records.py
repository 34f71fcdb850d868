"""Commit records: a subject is done with a stage when its record is renamed into place.

The records lie beside the store, in ``NAME.records/STAGE/INDEX.json``, not in it: a folder in a
zarr hierarchy that is no zarr node makes every reader warn. They also hold what differs from run to
run (times, versions), so that a store's bytes do not depend on how it was made.
"""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from virtuallab.store.files.atomic_write import writing
from virtuallab.store.files.digest import read_json_with_digest, write_json_with_digest
from virtuallab.store.integrity.damage import Damage, raise_if_damaged
from virtuallab.store.integrity.manifest import Manifest
from virtuallab.store.integrity.repair_command import stage_repair_command
from virtuallab.store.layout.location import records_folder
from virtuallab.vocabulary import subject_name

# By name, so that copies which sync clients make ("000003 2.json") are skipped.
_RECORD = re.compile(r"[0-9]{6,}\.json")
_STAGE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]*")
_REMOVED = ".removed-"


class CommitRecords:
    """The commit records of one store.

    Parameters
    ----------
    store : Path
        ``NAME.zarr``.
    """

    def __init__(self, store: Path) -> None:
        self._store = store
        self.folder = records_folder(store)
        self._invalid: set[tuple[str, int]] = set()
        self._stage_of: dict[str, str] = {}

    def staging(self, store: Path) -> Path:
        """Return the folder in which nodes are built, on the disk of the store.

        Parameters
        ----------
        store : Path
            The store, or the folder that will hold it.
        """
        own = self.folder / ".aside"
        if not store.exists() or not self.folder.exists():
            return own
        place = store.resolve()
        is_near = place.stat().st_dev == self.folder.stat().st_dev
        return own if is_near else place.with_name(f".{place.name}.aside")

    def file(self, stage: str, index: int) -> Path:
        """Return the file of a subject's record of a stage."""
        return self.folder / stage / f"{index:06d}.json"

    def commit(self, stage: str, index: int, record: Mapping[str, Any]) -> None:
        """Mark a subject as done with a stage; call it after its chunks are on the disk."""
        with writing(self.folder):
            write_json_with_digest(self.file(stage, index), {**record, "committed_at": time.time()})
        self._invalid.discard((stage, index))

    def invalidate(self, stage: str, index: int) -> None:
        """Treat a subject as not done until it is committed again; its file stays until then."""
        self._invalid.add((stage, index))

    def of(self, stage: str) -> dict[int, dict[str, Any]]:
        """Return the records of a stage by subject index.

        Raises
        ------
        MachineError
            If records are damaged; all of them are named.
        """
        found, damaged = self.read(stage)
        raise_if_damaged(self._describe(stage, damaged), self._store)
        return found

    def indices(self, stage: str) -> set[int]:
        """Return the subjects with a record of a stage; raises as :meth:`of`."""
        sound = {index: record is not None for index, record in self.each(stage)}
        damaged = [index for index, is_sound in sound.items() if not is_sound]
        raise_if_damaged(self._describe(stage, damaged), self._store)
        return set(sound)

    def damage(self, stage: str) -> list[Damage]:
        """Return the damaged records of a stage."""
        return self._describe(stage, [i for i, record in self.each(stage) if record is None])

    def _describe(self, stage: str, damaged: list[int]) -> list[Damage]:
        try:
            attributes = Manifest.read(self.folder).attributes if damaged else {}
        except (OSError, ValueError, TypeError):
            attributes = {}
        command = stage_repair_command(self._store, stage, attributes)
        return [Damage.of(self.file(stage, i), command, subject_name(i)) for i in damaged]

    def read(self, stage: str) -> tuple[dict[int, dict[str, Any]], list[int]]:
        """Return the sound records of a stage by subject index, and the indices of damaged ones."""
        found: dict[int, dict[str, Any]] = {}
        damaged: list[int] = []
        for index, record in self.each(stage):
            if record is None:
                damaged.append(index)
            else:
                found[index] = record
        return found, damaged

    def each(self, stage: str) -> Iterator[tuple[int, dict[str, Any] | None]]:
        """Yield the record of each subject with its index, one at a time; None if damaged."""
        for file in sorted((self.folder / stage).glob("*.json")):
            if not _RECORD.fullmatch(file.name):
                continue
            index = int(file.stem)
            if (stage, index) in self._invalid:
                continue
            try:
                yield index, read_json_with_digest(file)
            except (OSError, ValueError):
                yield index, None

    def checksums(self, node: str, index: int) -> tuple[str, dict[str, str]] | None:
        """Return the stage that committed a subject's values of a node, and their checksums.

        None if no sound record holds them.
        """
        # The stage that wrote one subject's values in a node wrote the others' as well.
        known = self._stage_of.get(node)
        for stage in ([known] if known else []) + [s for s in self.stages() if s != known]:
            if (stage, index) in self._invalid:
                continue
            try:
                record = read_json_with_digest(self.file(stage, index))
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
        """Remove all records of a stage; for readers they disappear at once."""
        folder = self.folder / stage
        if folder.is_dir():
            removed = self.folder / f"{_REMOVED}{stage}"
            shutil.rmtree(removed, ignore_errors=True)
            folder.rename(removed)
        self.delete_leftovers()

    def delete_leftovers(self) -> None:
        """Delete the rest of a removal that was killed."""
        for leftover in self.folder.glob(f"{_REMOVED}*"):
            shutil.rmtree(leftover)
