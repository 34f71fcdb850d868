"""Files of tasks, whose place and digest are noted when a protocol is read."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from virtuallab.errors import Fault, ProtocolError, UserError
from virtuallab.paths import expanded
from virtuallab.protocol.messages.explain import expected
from virtuallab.protocol.messages.places import Place, SourceLines
from virtuallab.registry import TASKS


def note_files(data: Any, folder: Path, source: SourceLines) -> None:
    """Note for each task with a path its full path and the digest of its files, in the document.

    A stored protocol then finds the files from any folder, and a store is not continued with files
    that were changed.

    Parameters
    ----------
    data : dict
        The document.
    folder : Path
        Base of relative paths.
    source : SourceLines
        For the faults' lines.

    Raises
    ------
    ProtocolError
        If a path is no text, or is empty.
    """
    faults: list[Fault] = []
    for task, place in tasks_with_files(data):
        try:
            task["path"] = _full(task["path"], folder)
        except UserError as error:
            faults.append(source.fault((*place, "path"), str(error)))
            continue
        if "sha256" not in task and (found := TASKS[task["name"]].digest(Path(task["path"]))):
            task["sha256"] = found
    if faults:
        raise ProtocolError(faults)


def tasks_with_files(data: Any) -> Iterator[tuple[dict[str, Any], Place]]:
    """Yield each task with a path in a document, and its place; also those within another task.

    Parameters
    ----------
    data : dict
        The document; nothing in it is checked yet.
    """
    subjects = data.get("subjects")
    for key in ("tasks", "start_from") if isinstance(subjects, dict) else ():
        for task, place in _with_path(subjects.get(key), ("subjects", key)):
            with suppress(UserError):  # an unknown name is refused when the task is read
                if hasattr(TASKS[task["name"]], "digest"):
                    yield task, place


def _full(path: Any, folder: Path) -> str:
    if not isinstance(path, str):
        words = expected("the path of a file or folder", path)
        raise UserError(
            f"{words} Several files are several tasks." if isinstance(path, list) else words
        )
    return os.path.abspath(folder / expanded(path))  # noqa: PTH100 - keeps links


def _with_path(at: Any, place: Place) -> Iterator[tuple[dict[str, Any], Place]]:
    """Yield each task that has a path, also within another task."""
    if isinstance(at, dict):
        if "path" in at and isinstance(at.get("name"), str):
            yield at, place
        for key, value in at.items():
            yield from _with_path(value, (*place, key))
    elif isinstance(at, list):
        for index, value in enumerate(at):
            yield from _with_path(value, (*place, index))
