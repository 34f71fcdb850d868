"""Search for the files of a recording in a folder, among files of other programs."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from virtuallab.errors import UserError

# Files of file managers, of sync clients and of unfinished downloads.
_SIDECAR: Final = re.compile(
    r"^[.~]|^(Thumbs\.db|desktop\.ini)$|\.(tmp|part|partial|crdownload|swp)$|~$", re.IGNORECASE
)
_CONFLICT: Final = re.compile(
    r"\s*\([^()]*conflicted copy[^()]*\)|\.sync-conflict-[\w-]+", re.IGNORECASE
)
_DEEP: Final = 3  # folders in folders: subject, session and one more
_MANY: Final = 1000  # a folder with more files is not that of a recording


def recording_files(paths: Iterable[Path]) -> tuple[list[Path], list[str]]:
    """Return paths without files of other programs and without copies made by sync clients.

    Returns
    -------
    files : list of Path
        Sorted by name.
    notes : list of str
        Notes on skipped files that may be recordings.
    """
    kept = sorted(path for path in paths if not _SIDECAR.search(path.name))
    there = set(kept)
    copies = [
        path
        for path in kept
        if (original := _CONFLICT.sub("", path.name)) != path.name
        and path.with_name(original) in there
    ]
    notes = [f"{path.name}, a sync client's copy, was passed over." for path in copies]
    return [path for path in kept if path not in copies], notes


def find_nwb_files(folder: Path) -> tuple[list[Path], list[str]]:
    """Return the NWB files of a folder, or else of its subfolders, as :func:`recording_files`.

    Raises
    ------
    UserError
        If there is none in the folder itself, and too many files in its subfolders to search.
    """
    files, notes = recording_files(path for path in folder.iterdir() if _is_nwb(path))
    if files:
        return files, notes
    inside: list[Path] = []
    looked_at = 0
    for place, folders, names in os.walk(folder):
        here = Path(place)
        deep = len(here.relative_to(folder).parts)
        looked_at += len(names) + len(folders)
        if looked_at > _MANY:
            raise UserError(
                f"{folder}: no NWB file lies in this folder itself, and those in it hold more than "
                f"{_MANY:,} files. Name the folder of one recording."
            )
        inside += [here / name for name in (*names, *folders) if _is_nwb(here / name)]
        folders[:] = [
            name
            for name in sorted(folders)
            if deep < _DEEP and not _SIDECAR.search(name) and not _is_nwb(here / name)
        ]
    return recording_files(inside)


def _is_nwb(path: Path) -> bool:
    return path.suffix.lower() == ".nwb"
