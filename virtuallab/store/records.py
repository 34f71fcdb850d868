"""Commit records: a subject is done with a stage when its record is renamed into place.

The records lie beside the store, in ``NAME.records/STAGE/INDEX.json``, not in it: a folder in a
zarr hierarchy that is no zarr node makes every reader warn. They also hold what differs from run to
run (times, versions), so that the store itself is the same bytes however it came about.
"""

from __future__ import annotations

import json
import re
import shutil
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from virtuallab.errors import MachineError
from virtuallab.store.disk import write_json, writing

# By name, so that copies which sync clients make ("000003 2.json") are passed over.
_RECORD = re.compile(r"[0-9]{6,}\.json")
_STAGE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]*")
_REMOVED = ".removed-"


class Records:
    """The commit records of one store."""

    def __init__(self, store: Path) -> None:
        self.folder = _beside(store)
        if store.is_symlink() and not self.folder.exists():
            # A store reached by a link may have been made where it lies.
            self.folder = _beside(store.resolve())

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
            write_json(self.file(stage, index), {**record, "committed_at": time.time()})

    def of(self, stage: str) -> dict[int, dict[str, Any]]:
        """Return the records of a stage by subject index.

        Raises
        ------
        MachineError
            If a record is damaged.
        """
        files = sorted(
            file for file in (self.folder / stage).glob("*.json") if _RECORD.fullmatch(file.name)
        )
        found = ((int(file.stem), _read(file)) for file in files)
        return {index: record for index, record in found if record is not None}

    def checksums(self, node: str, index: int) -> tuple[str, dict[str, str]] | None:
        """Return what was committed of a subject in a node: the stage and the checksums, if any."""
        for stage in self.stages():
            record = _read(self.file(stage, index)) or {}
            if node in record.get("checksums", {}):
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


def _beside(store: Path) -> Path:
    # Not `with_suffix`: trial.1 and trial.2 are two experiments.
    return store.with_name(f"{store.name.removesuffix('.zarr')}.records")


def _read(path: Path) -> dict[str, Any] | None:
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except ValueError:
        record = None
    if not isinstance(record, dict):
        raise MachineError(
            f"{path} is damaged. Remove it, and the same command makes this subject again."
        )
    return record
