"""The manifest of a store: digests of all its files but the chunks of subjects.

Chunks of subjects have their checksums in the commit records. All other files (metadata,
coordinates, tables) are written by one process, which lists them in ``NAME.records/manifest.json``.
A file is listed before it takes its place, so a kill at any moment causes no false alarm.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from virtuallab.store.files.digest import (
    digest,
    file_digest,
    read_json_with_digest,
    write_json_with_digest,
)

MANIFEST_FILE: Final = "manifest.json"

Version = Mapping[str, str] | None  # digest of each file below a node; None: there is no such node


@dataclass
class Manifest:
    """Digests of the files of a store, except chunks of subjects.

    Parameters
    ----------
    file : Path
        File of the manifest itself.
    root : mapping
        Content of the root's metadata file, without the consolidated metadata of other nodes.
    root_digest : str or None
        Digest of that file's bytes; None while it is being changed.
    nodes : mapping from node to sequence of Version
        Valid versions of a node: one, or the older and the newer while it is being replaced.
    """

    file: Path
    root: Mapping[str, Any] = field(default_factory=dict)
    root_digest: str | None = None
    nodes: dict[str, Sequence[Version]] = field(default_factory=dict)

    @classmethod
    def read(cls, records: Path) -> Manifest:
        """Read the manifest in a folder of records.

        Raises
        ------
        OSError, ValueError, TypeError
            OSError if it cannot be read, the others if it is damaged.
        """
        file = records / MANIFEST_FILE
        return cls(file, **read_json_with_digest(file))

    def write(self) -> None:
        """Write the manifest in the place of the older one, completely or not at all."""
        write_json_with_digest(
            self.file, {"root": self.root, "root_digest": self.root_digest, "nodes": self.nodes}
        )

    def __contains__(self, node: str) -> bool:
        return node in self.nodes

    @property
    def attributes(self) -> dict[str, Any]:
        """Attributes of the store's root; they never change."""
        found = self.root.get("attributes")
        return found if isinstance(found, dict) else {}

    def versions(self, node: str) -> Sequence[Version]:
        """Return the valid versions of a node; of one that is not listed, absence."""
        return self.nodes.get(node, (None,))

    def with_arrays(self) -> list[str]:
        """Return the nodes that hold arrays; the others are groups of nodes."""
        return [
            node
            for node, versions in self.nodes.items()
            if any("/" in file for version in versions for file in version or ())
        ]

    def keep_last(self, node: str) -> None:
        """Keep the last version of a node; remove the node if that version is absence."""
        last = self.versions(node)[-1]
        if last is None:
            self.nodes.pop(node, None)
        else:
            self.nodes[node] = [last]


def digests(folder: Path) -> dict[str, str]:
    """Return the digest of every file below a folder, by its path below it."""
    return {
        file.relative_to(folder).as_posix(): digest(file.read_bytes())
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    }


def changed_files(folder: Path, versions: Sequence[Version]) -> list[str]:
    """Return the files, as paths below the folder of a node, that match none of its versions.

    Of several versions, the one that differs in the fewest files is reported.
    """
    files = {name for version in versions if version is not None for name in version}
    found = {name: file_digest(folder / name) for name in files}
    candidates = []
    for version in versions:
        if version is None:
            if not folder.exists():
                return []
            continue
        wrong = sorted(name for name, expected in version.items() if found[name] != expected)
        if not wrong:
            return []
        candidates.append(wrong)
    return min(candidates, key=len, default=[])
