"""What a store holds, read from its metadata alone: no array is opened, so it answers at once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from virtuallab.errors import MachineError
from virtuallab.vocabulary import SUBJECT


def subject_count(store: Path) -> int:
    """How many subjects the table of subjects has.

    Raises
    ------
    MachineError
        If the metadata of that table is missing or damaged.
    """
    file = store / "subjects" / SUBJECT / "zarr.json"
    try:
        (count,) = _metadata(file)["shape"]
        return int(count)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise MachineError(
            f"{file} cannot be read; it says how many subjects there are."
        ) from error


def nodes_below(store: Path, node: str) -> list[str]:
    """Return names of the groups directly below a node; none where there is no such node."""
    found = []
    for file in sorted((store / node).glob("*/zarr.json")):
        try:
            kind = _metadata(file).get("node_type")
        except (OSError, ValueError, TypeError):
            continue  # `status --verify` lists damage; here it is no probe that can be counted
        if kind == "group":
            found.append(file.parent.name)
    return found


def _metadata(file: Path) -> dict[str, Any]:
    content = json.loads(file.read_text(encoding="utf-8"))
    if not isinstance(content, dict):
        raise TypeError(f"{file} holds no mapping")
    return content
