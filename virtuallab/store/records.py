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
        self.folder = store.with_suffix(".records")

    def commit(self, stage: str, index: int, record: Mapping[str, Any]) -> None:
        """Say that a subject is done with a stage; call it after its chunks are written."""
        path = self.folder / stage / f"{index:06d}.json"
        with writing(self.folder):
            write_json(path, {**record, "committed_at": time.time()})

    def of(self, stage: str) -> dict[int, dict[str, Any]]:
        """Return the records of a stage by subject index.

        Raises
        ------
        MachineError
            If a record is damaged.
        """
        found = {}
        for path in sorted((self.folder / stage).glob("*.json")):
            try:
                found[int(path.stem)] = json.loads(path.read_text(encoding="utf-8"))
            except ValueError:
                raise MachineError(
                    f"{path} is damaged. Remove it, and the same command makes this subject again."
                ) from None
        return found

    def stages(self) -> list[str]:
        """Return the stages that have records."""
        return sorted(path.name for path in self.folder.glob("*") if path.is_dir())
