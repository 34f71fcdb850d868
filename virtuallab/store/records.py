"""Commit records: a subject is done with a stage when its record is renamed into place.

The records lie beside the store, in ``NAME.records/STAGE/INDEX.json``, not in it: a folder in a
zarr hierarchy that is no zarr node makes every reader warn. They also hold what differs from run to
run (times, versions), so that the store itself is the same bytes however it came about.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from virtuallab.errors import MachineError
from virtuallab.store.disk import write_json, writing


class Records:
    """The commit records of one store."""

    def __init__(self, store: Path) -> None:
        # Not `with_suffix`: trial.1 and trial.2 are two experiments.
        self.folder = store.with_name(f"{store.name.removesuffix('.zarr')}.records")
        self.aside = self.folder / ".aside"

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
        files = sorted((self.folder / stage).glob("[0-9]*.json"))
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
        return sorted(path.name for path in folders if not path.name.startswith("."))


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
