"""The manifest of a store: digests of all its files but the chunks of subjects.

Chunks of subjects have their checksums in the commit records. All other files (metadata,
coordinates, tables) are written by one process, which notes them in ``NAME.records/manifest.json``.
A file is noted before it takes its place, so a kill at any moment leaves no false alarm.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from virtuallab.store.files.digest import digest, file_digest, read_sealed, write_sealed
from virtuallab.store.integrity.damage import what_is_wrong

FILE: Final = "manifest.json"

Version = Mapping[str, str] | None  # digest of each file below a node; None: there is no such node


@dataclass
class Manifest:
    """What the files of a store have to be.

    Parameters
    ----------
    file : Path
        Where it is kept.
    root : mapping
        Content of the root's metadata file, without the gathered metadata of the other nodes.
    root_digest : str or None
        Digest of that file's bytes; None while it is being changed.
    nodes : mapping from node to sequence of Version
        What a node may be: one version, or the older and the newer while it is being replaced.
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
        OSError
            If there is none, or it cannot be read.
        ValueError
            If it is damaged.
        """
        content = read_sealed(records / FILE)
        return cls(records / FILE, **content)

    def write(self) -> None:
        """Write it in the place of the older one, whole or not at all."""
        write_sealed(
            self.file,
            {"root": self.root, "root_digest": self.root_digest, "nodes": self.nodes},
        )

    def __contains__(self, node: str) -> bool:
        return node in self.nodes

    def versions(self, node: str) -> Sequence[Version]:
        """Return what a node may be; it is absent if nothing was noted of it."""
        return self.nodes.get(node, (None,))

    def with_arrays(self) -> list[str]:
        """Return the nodes that hold arrays; the others are groups of nodes."""
        return [
            node
            for node, versions in self.nodes.items()
            if any("/" in file for version in versions for file in version or ())
        ]

    def settle(self, node: str) -> None:
        """Keep of a node the version that was noted last, and drop it if that is none."""
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


def changed_files(folder: Path, versions: Sequence[Version]) -> dict[str, str]:
    """Return the files of a node that are none of its versions, each with what is wrong with it.

    Parameters
    ----------
    folder : Path
        Folder of the node.
    versions : sequence of Version
        What it may be; of several, the one that differs in the fewest files is reported.

    Returns
    -------
    dict
        Path below the folder, and what is wrong with the file.
    """
    files = {name for version in versions if version is not None for name in version}
    found = {name: file_digest(folder / name) for name in files}
    candidates = []
    for version in versions:
        if version is None:
            if not folder.exists():
                return {}
            continue
        wrong = sorted(name for name, expected in version.items() if found[name] != expected)
        if not wrong:
            return {}
        candidates.append(wrong)
    best = min(candidates, key=len, default=[])
    return {name: what_is_wrong(folder / name) for name in best}
