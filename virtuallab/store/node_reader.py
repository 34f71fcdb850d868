"""Reading of the nodes of an experiment's zarr tree, compared with their digests."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
import zarr

from virtuallab.errors import StoreError
from virtuallab.store.files.digest import file_digest
from virtuallab.store.integrity.damage import Damage, raise_if_damaged
from virtuallab.store.integrity.manifest import Manifest
from virtuallab.store.integrity.static_files import StaticFiles, with_parents
from virtuallab.store.integrity.verification import changed_chunks, reading
from virtuallab.store.layout.arrays import value_dims
from virtuallab.store.layout.chunk import checksum, chunk_file, read_chunks
from virtuallab.store.open import open_node, with_coords
from virtuallab.vocabulary import SUBJECT, subject_name


class NodeReader:
    """Nodes of labelled arrays below one folder.

    Metadata, coordinates and tables are compared with their digests once for each node, values of
    subjects with the checksums that the caller has of them.

    Parameters
    ----------
    path : Path
        Root of the tree; it exists.
    manifest : Manifest
        Digests of all files but the chunks of subjects.
    """

    def __init__(self, path: Path, manifest: Manifest) -> None:
        self.path = path
        self.manifest = manifest
        self.static = StaticFiles(path, manifest)
        self._arrays: dict[str, dict[str, zarr.Array[Any]]] = {}
        self._checked: set[str] = set()

    @cached_property
    def _root(self) -> zarr.Group:
        """The root group, opened on first use: ``status`` does without it."""
        return zarr.open_group(str(self.path), mode="r+", use_consolidated=False)

    def __contains__(self, node: str) -> bool:
        return node in self.manifest or (self.path / node / "zarr.json").is_file()

    def nodes(self) -> list[str]:
        """Return every node that holds arrays."""
        listed = (node for node in self.manifest.with_arrays() if (self.path / node).is_dir())
        return sorted([*listed, *self.static.unlisted()])

    def read(self, node: str) -> xr.Dataset:
        """Read a node: coordinates and text loaded, numbers lazily; raises as :meth:`check`."""
        self.check(node)
        with reading(self.path):
            return open_node(self.path, node)

    def read_values(self, node: str, expected: Mapping[int, Mapping[str, str]]) -> xr.Dataset:
        """Read values of some subjects, each compared with its checksum.

        Parameters
        ----------
        node : str
        expected : mapping from subject index to mapping from variable to checksum
            Subjects to read, in this order. For a variable without a checksum, only its file is
            required.

        Returns
        -------
        xr.Dataset
            Dims (subject, ...), without coordinates.

        Raises
        ------
        MachineError
            If values are damaged; all files are named.
        """
        arrays = self.arrays(node)
        indices = list(expected)
        values = {name: read_chunks(array, indices) for name, array in arrays.items()}
        damage = []
        for place, index in enumerate(indices):
            for name, array in arrays.items():
                found = values[name]
                own = None if found is None else np.asarray(found[place])
                if not self._is_sound(array, index, own, expected[index].get(name)):
                    damage.append(self._chunk_damage(node, array, index))
        raise_if_damaged(damage, self.path)
        dims = {name: (SUBJECT, *value_dims(array)) for name, array in arrays.items()}
        return with_coords(xr.Dataset({name: (dims[name], values[name]) for name in arrays}))

    def _is_sound(
        self, array: zarr.Array[Any], index: int, values: np.ndarray | None, expected: str | None
    ) -> bool:
        """Return whether one subject's values exist and are those that were written.

        Values are read if they are None: reading several subjects fails if one of them is damaged.
        """
        # Tested first, because a chunk that is gone reads as zeros.
        if not (self.path / chunk_file(array, index)).is_file():
            return False
        if values is None:
            alone = read_chunks(array, [index])
            if alone is None:
                return False
            values = np.asarray(alone[0])
        return expected in (None, checksum(values))

    def damaged_chunks(
        self, node: str, index: int, checksums: Mapping[str, str], digests: Mapping[str, str | None]
    ) -> Iterator[Damage]:
        """Yield damaged chunks of one subject; by their bytes alone if the node itself is damaged.

        Parameters
        ----------
        node : str
        index : int
            Of the subject.
        checksums, digests : mapping from variable to str
            Of the values, and of the files in which they lie.
        """
        if node in self and self.is_damaged(node):
            yield from changed_chunks(self.path, node, index, digests, self.manifest.attributes)
            return
        arrays = self.arrays(node) if node in self else {}
        for name, expected in checksums.items():
            if name not in arrays:
                file = self.path / node / name
                yield Damage.of(file, self.static.repair_command(node), subject_name(index))
                continue
            array = arrays[name]
            is_same = digests[name] == file_digest(self.path / chunk_file(array, index))
            if not is_same or not self._is_sound(array, index, None, expected):
                yield self._chunk_damage(node, array, index)

    def _chunk_damage(self, node: str, array: zarr.Array[Any], index: int) -> Damage:
        file = self.path / chunk_file(array, index)
        owner = subject_name(index, array.shape[0])
        return Damage.of(file, self.static.repair_command(node), owner)

    def check(self, node: str) -> None:
        """Compare metadata, coordinates and a table's values with their digests, once.

        Raises
        ------
        StoreError, MachineError
            If there is no such node; if a file of it is damaged.
        """
        if node in self._checked:
            return
        if node not in self:
            raise StoreError(f"{self.path} has no {node}. It has {', '.join(self.nodes())}.")
        if node not in self.manifest:
            raise_if_damaged([self.static.unlisted_damage(node)], self.path)
        raise_if_damaged(self.damage(node), self.path)
        self._checked.add(node)

    def damage(self, node: str) -> list[Damage]:
        """Return damaged metadata, coordinates and table values of a node and the groups above."""
        return list(self.static.damage(with_parents([node])))

    def is_damaged(self, node: str) -> bool:
        """Return whether a node has such damage, or is not in the manifest, which would show it."""
        return node not in self.manifest or bool(self.damage(node))

    def forget(self, node: str) -> None:
        """Read a node anew, after it was replaced or removed."""
        self._arrays.pop(node, None)
        self._checked.discard(node)

    def arrays(self, node: str) -> dict[str, zarr.Array[Any]]:
        """Return a node's arrays over subjects, by name; raises as :meth:`check`."""
        if node not in self._arrays:
            self.check(node)
            with reading(self.path):
                self._arrays[node] = self._find_arrays(node)
        return self._arrays[node]

    def _find_arrays(self, node: str) -> dict[str, zarr.Array[Any]]:
        group = self._root.get(node)
        if not isinstance(group, zarr.Group):
            raise StoreError(f"{self.path} has no {node}. It has {', '.join(self.nodes())}.")
        coords = str(group.attrs.get("coordinates", "")).split()
        # Of the manifest, not of the folder, in which anything may have been put.
        files = {file for version in self.manifest.versions(node) for file in version or ()}
        names = sorted(f.removesuffix("/zarr.json") for f in files if f.endswith("/zarr.json"))
        arrays = {name: group[name] for name in names if name not in coords}
        return {
            # Chunks of zeros are written as well: that a file is there has to mean something.
            name: array.with_config({"write_empty_chunks": True})
            for name, array in arrays.items()
            if isinstance(array, zarr.Array) and array.metadata.dimension_names != (name,)  # type: ignore[union-attr]
        }
