"""Files of a store that hold no subject's values, compared with their digests in the manifest."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

from virtuallab.store.files.digest import digest, file_digest, read_json
from virtuallab.store.integrity.damage import Damage
from virtuallab.store.integrity.manifest import Manifest, changed_files
from virtuallab.store.integrity.repair_command import repair_command
from virtuallab.store.layout.zarr_metadata import CONSOLIDATED, root_metadata


class StaticFiles:
    """Metadata, coordinates and tables of a store, and the manifest that lists them."""

    def __init__(self, store: Path, manifest: Manifest) -> None:
        self.store = store
        self.manifest = manifest

    def repair_command(self, node: str = "") -> str:
        """Return the command that makes a node anew; that of the root unless given."""
        return repair_command(self.store, node, self.manifest.attributes)

    def root_damage(self) -> Iterator[Damage]:
        """Yield the root's metadata file if it is damaged."""
        manifest, file = self.manifest, self.store / "zarr.json"
        # Consolidated metadata may be missing: readers then open the file of each node.
        alone = digest(json.dumps(manifest.root).encode())
        if file_digest(file) in (manifest.root_digest or alone, alone):
            return
        if manifest.root_digest is None and self._is_changing():
            return
        yield Damage.of(file, self.repair_command())

    def _is_changing(self) -> bool:
        """Return whether the root's own content is valid, as while the tree is changing."""
        try:
            content = root_metadata(self.store)
        except (OSError, ValueError):
            return False
        content.pop(CONSOLIDATED, None)
        return content == self.manifest.root

    def damage(self, nodes: Iterable[str] | None = None) -> Iterator[Damage]:
        """Yield damaged files of some nodes, or of all that the manifest lists."""
        for node in list(self.manifest.nodes) if nodes is None else nodes:
            for name in changed_files(self.store / node, self.manifest.versions(node)):
                yield Damage.of(self.store / node / name, self.repair_command(node))

    def unlisted(self) -> list[str]:
        """Return nodes with arrays that the manifest does not list."""
        found = {node.relative_to(self.store).as_posix() for node in _with_arrays(self.store)}
        return sorted(node for node in found if node not in self.manifest and node != ".")

    def unlisted_damage(self, node: str) -> Damage:
        """Describe a node that is not listed: nothing shows whether it is damaged."""
        found = f"is not in {self.manifest.file}, so that damage in it would not be noticed"
        return Damage(self.store / node, found, self.repair_command(node))


def with_parents(nodes: Iterable[str]) -> list[str]:
    """Return nodes and the groups above them, each once, from the outermost in.

    >>> with_parents(["recordings/utah/mlp"])
    ['recordings', 'recordings/utah', 'recordings/utah/mlp']
    """
    paths = {
        "/".join(parts[: depth + 1])
        for parts in (node.split("/") for node in nodes)
        for depth in range(len(parts))
    }
    return sorted(paths)


def _with_arrays(folder: Path) -> Iterator[Path]:
    """Yield a folder and those below it that hold arrays; the many chunks are not listed."""
    try:
        folders = [each for each in folder.iterdir() if each.is_dir() and not each.is_symlink()]
    except OSError:  # a foreign folder without permission to read it
        return
    arrays = [each for each in folders if _is_array(each / "zarr.json")]
    if arrays:
        yield folder
    for each in folders:
        if each not in arrays:
            yield from _with_arrays(each)


def _is_array(metadata: Path) -> bool:
    try:
        return bool(read_json(metadata).get("node_type") == "array")
    except (OSError, ValueError):
        return False
