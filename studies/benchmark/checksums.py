"""Checksums of the files of a folder, in the format of ``sha256sum``."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Final

FILE: Final = "checksums.sha256"


def write_checksums(folder: Path, file: str = FILE) -> None:
    """Write the SHA-256 of each file of a folder, sorted by name, into a file of it."""
    lines = [f"{digest}  {name}" for name, digest in sorted(_digests(folder, file).items())]
    (folder / file).write_text("\n".join(lines) + "\n", encoding="utf-8")


def differences(folder: Path, file: str = FILE) -> list[str]:
    """Files that are missing, changed or not listed; empty if the folder is as it was written."""
    if not (folder / file).is_file():
        return [f"{file}: is missing, so nothing can be compared"]
    lines = (folder / file).read_text("utf-8").splitlines()
    written = {name: digest for digest, _, name in (line.partition("  ") for line in lines)}
    found = _digests(folder, file)
    return [
        *(f"{name}: is missing" for name in sorted(written.keys() - found.keys())),
        *(
            f"{name}: is not the file that was written"
            for name in sorted(written.keys() & found.keys())
            if written[name] != found[name]
        ),
        *(f"{name}: is not part of the set" for name in sorted(found.keys() - written.keys())),
    ]


def _digests(folder: Path, listed_in: str = FILE) -> dict[str, str]:
    found = {}
    for file in folder.rglob("*"):
        name = file.relative_to(folder).as_posix()
        if file.is_file() and name != listed_in:
            with file.open("rb") as content:
                found[name] = hashlib.file_digest(content, "sha256").hexdigest()
    return found
