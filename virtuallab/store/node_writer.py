"""The zarr tree of an experiment: which nodes there are, and what each is made for."""

from __future__ import annotations

import re
import shutil
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
import zarr

from virtuallab.errors import MachineError, StoreError, VirtuallabError
from virtuallab.store.files.atomic_replace import remove, replacing
from virtuallab.store.files.atomic_write import writing
from virtuallab.store.files.digest import file_digest
from virtuallab.store.integrity import repair_command as remedy
from virtuallab.store.integrity.damage import Damage, refuse, what_is_wrong
from virtuallab.store.integrity.manifest import Manifest, digests
from virtuallab.store.integrity.verification import (
    not_listed,
    of_files,
    of_nodes,
    reading,
    unlisted_nodes,
    with_parents,
)
from virtuallab.store.layout import chunk
from virtuallab.store.layout.arrays import (
    along,
    as_words,
    check_like,
    declare_array,
    own_coords,
    table_encoding,
    value_dims,
)
from virtuallab.store.layout.zarr_metadata import gather, quiet, root_metadata, spread
from virtuallab.store.open import with_coords
from virtuallab.vocabulary import SUBJECT, subject_name

# Files that a killed writer leaves: zarr's own, and those of `write_text`. Nobody else's.
_LEFTOVER = re.compile(r"(zarr|c(\.[0-9]+)*)\.[0-9a-f]+\.partial|zarr\.json\.[0-9]+\.[0-9]+\.tmp")


class Tree:
    """Nodes of labelled arrays below one folder. A node appears whole, and is replaced whole.

    Whatever is read is compared with its digest first: metadata, coordinates and tables once for
    each node, values of subjects with the checksums that the caller has of them.

    Parameters
    ----------
    path : Path
        Root of the tree; it is there.
    aside : Path
        Folder on the same disk in which nodes are built.
    manifest : Manifest
        Digests of all files but the chunks of subjects; kept up to date.
    """

    def __init__(self, path: Path, aside: Path, manifest: Manifest) -> None:
        self.path = path
        self.manifest = manifest
        self._aside = aside
        self._arrays: dict[str, dict[str, zarr.Array[Any]]] = {}
        self._checked: set[str] = set()
        self._lock = threading.Lock()

    @cached_property
    def _root(self) -> zarr.Group:
        """Opened when it is needed: how far an experiment is can be told without."""
        return zarr.open_group(str(self.path), mode="r+", use_consolidated=False)

    def __contains__(self, node: str) -> bool:
        return node in self.manifest or (self.path / node / "zarr.json").is_file()

    @cached_property
    def attributes(self) -> Mapping[str, Any]:
        """Attributes of the root; they never change."""
        attributes: dict[str, Any] = root_metadata(self.path)["attributes"]
        return attributes

    def declare(
        self,
        node: str,
        sample: xr.Dataset,
        static: xr.Dataset,
        attributes: Mapping[str, str],
    ) -> None:
        """Make a node for values like one subject's, or see that it is there for such values.

        Metadata and coordinates that are damaged are made anew; no values are touched.

        Parameters
        ----------
        node : str
        sample : xr.Dataset
            One subject's values, without a subject axis. Those of its coordinates that are not
            among the static ones are written by subject, as values are.
        static : xr.Dataset
            Coordinates that are the same for every subject, with ``subject`` among them.
        attributes : mapping
            Text for the node.

        Raises
        ------
        StoreError
            If the node is there for other values or with other coordinates.
        MachineError
            If damaged metadata or coordinates cannot be made as they were.
        """
        static = as_words(static)

        def build(folder: Path) -> None:
            group = zarr.create_group(str(folder), zarr_format=3)
            own = own_coords(sample, static)
            for name in [*map(str, sample.data_vars), *own]:
                # A subject's own coordinates are named on the values that have their axes, as CF
                # has it, so that what is written by subject can be told from what is not.
                named = " ".join(o for o in own if name not in own and along(own[o], sample[name]))
                coords = {"coordinates": named} if named else {}
                values = sample[name].assign_attrs(coords)
                declare_array(group, name, values, static.sizes[SUBJECT])
            _to_zarr(static, folder)
            # Named on the node, as CF has it, or readers would take them for values.
            auxiliary = " ".join(sorted(map(str, set(static.coords) - set(static.dims))))
            group.attrs.update({**attributes, "coordinates": auxiliary})

        if not self._is_there(node):
            with self._rebuilding(node) as folder:
                build(folder)
            return
        if node not in self.manifest:
            self._adopt(node, sample, static, build)
        elif any(self.damage([node])):
            self._mend(node, build)
        check_like(self.read(node), sample, static, node)

    def write_table(self, node: str, table: xr.Dataset) -> None:
        """Write a small table whole, each variable in one chunk, in the place of an older one."""
        table = as_words(table.drop_encoding())
        with self._rebuilding(node) as folder:
            _to_zarr(table, folder, encoding=table_encoding(table))

    def read(self, node: str) -> xr.Dataset:
        """Read a node: coordinates and words loaded, numbers when they are needed.

        Raises
        ------
        StoreError
            If there is no such node.
        MachineError
            If its metadata, coordinates or (of a table) values are damaged.
        """
        self.check(node)
        with reading(self.path), quiet():
            dataset = xr.open_zarr(
                str(self.path), group=node, consolidated=False, chunks=None, zarr_format=3
            )
            return with_coords(dataset)

    def read_values(self, node: str, expected: Mapping[int, Mapping[str, str]]) -> xr.Dataset:
        """Read values of some subjects, each compared with its checksum.

        Parameters
        ----------
        node : str
        expected : mapping from subject index to mapping from variable to checksum
            Whom to read, in this order. Of a variable without a checksum only the file has to be
            there.

        Returns
        -------
        xr.Dataset
            Dims (subject, ...), without coordinates.

        Raises
        ------
        MachineError
            If values are damaged; each file is named with its subject and what makes it anew.
        """
        arrays = self.over_subjects(node)
        indices = list(expected)
        values = {name: _stored(array, indices) for name, array in arrays.items()}
        refuse(
            (
                self._damaged_chunk(node, name, index)
                for place, index in enumerate(indices)
                for name, array in arrays.items()
                if not self._is_sound(array, index, values[name], place, expected[index].get(name))
            ),
            self.path,
        )
        dims = {name: (SUBJECT, *value_dims(array)) for name, array in arrays.items()}
        return with_coords(xr.Dataset({name: (dims[name], values[name]) for name in arrays}))

    def _is_sound(
        self,
        array: zarr.Array[Any],
        index: int,
        values: np.ndarray | None,
        place: int,
        expected: str | None,
    ) -> bool:
        """Whether one subject's values are there and are those that were written."""
        # Asked first, because a chunk that is gone reads as zeros.
        if not (self.path / chunk.chunk_file(array, index)).is_file():
            return False
        if values is None:  # somebody's chunk cannot be read: this one's?
            values = _stored(array, [index])
            place = 0
        return values is not None and expected in (None, chunk.checksum(np.asarray(values[place])))

    def damaged_chunks(
        self,
        node: str,
        index: int,
        checksums: Mapping[str, str],
        files: Mapping[str, str | None],
    ) -> Iterator[Damage]:
        """Yield damaged chunks of one subject.

        Where the node itself cannot be trusted, its files tell, and no values are read.

        Parameters
        ----------
        node : str
        index : int
            Of the subject.
        checksums : mapping from variable to checksum
            Of the values.
        files : mapping from variable to digest
            Of the files in which they lie.
        """
        if node in self and (node not in self.manifest or any(self.damage([node]))):
            yield from of_files(self.path, node, index, files, self.attributes)
            return
        arrays = self.over_subjects(node) if node in self else {}
        for name, expected in checksums.items():
            if name not in arrays:
                file = self.path / node / name
                yield Damage(file, what_is_wrong(file), self._remedy(node), subject_name(index))
                continue
            file = self.path / chunk.chunk_file(arrays[name], index)
            is_same = name not in files or files[name] == file_digest(file)
            if not is_same or not chunk.is_intact(self.path, arrays[name], index, expected):
                yield self._damaged_chunk(node, name, index)

    def over_subjects(self, node: str) -> dict[str, zarr.Array[Any]]:
        """Arrays of a declared node with one chunk a subject, by name."""
        if node not in self._arrays:
            self.check(node)
            with reading(self.path):
                self._arrays[node] = self._find_arrays(node)
        return self._arrays[node]

    def nodes(self) -> list[str]:
        """Return every node that holds arrays."""
        listed = (node for node in self.manifest.with_arrays() if (self.path / node).is_dir())
        return sorted([*listed, *unlisted_nodes(self.path, self.manifest)])

    def check(self, node: str) -> None:
        """Compare metadata, coordinates and a table's values with their digests, once.

        Raises
        ------
        StoreError
            If there is no such node.
        MachineError
            If a file of it is damaged.
        """
        if node in self._checked:
            return
        if node not in self:
            raise StoreError(f"{self.path} has no {node}. It has {', '.join(self.nodes())}.")
        if node not in self.manifest:
            refuse([not_listed(self.path, self.manifest, node)], self.path)
        refuse(self.damage([node]), self.path)
        self._checked.add(node)

    def damage(self, nodes: Iterable[str] | None = None) -> list[Damage]:
        """Return damaged metadata, coordinates and tables, of some nodes or of all."""
        return list(of_nodes(self.path, self.manifest, nodes))

    def finish(self) -> None:
        """Sweep up what a kill left half written, and gather the metadata; done last, alone."""
        with self._lock, writing(self.path):
            for leftover in self.path.rglob("*"):
                if _LEFTOVER.fullmatch(leftover.name) and leftover.is_file():
                    leftover.unlink()
            self._gather()

    def _is_there(self, node: str) -> bool:
        return (self.path / node).is_dir() and node in self

    def remove(self, nodes: Sequence[str]) -> None:
        """Remove nodes and all below them; those that are not there are passed over."""
        with self._lock, writing(self.path):
            self._begin_change()
            touched = [
                each
                for each in self.manifest.nodes
                if each in with_parents(nodes) or each.startswith(tuple(f"{n}/" for n in nodes))
            ]
            # Noted before they go; till then, and after a kill, they may be there or not.
            for each in touched:
                self.manifest.nodes[each] = [*self.manifest.versions(each), None]
            self.manifest.write()
            remove(self.path, nodes, self._aside)
            for each in touched:
                if (self.path / each).exists():  # a group in which other nodes are left
                    self.manifest.nodes[each] = self.manifest.versions(each)[:-1]
                else:
                    self.manifest.settle(each)
            self._arrays.clear()
            self._checked.clear()
            self._gather()

    def _group(self, node: str) -> zarr.Group:
        group = self._root.get(node)
        if not isinstance(group, zarr.Group):
            raise StoreError(f"{self.path} has no {node}. It has {', '.join(self.nodes())}.")
        return group

    def _find_arrays(self, node: str) -> dict[str, zarr.Array[Any]]:
        group = self._group(node)
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

    def _remedy(self, node: str) -> str:
        return remedy.of_node(self.path, node, self.attributes)

    def _damaged_chunk(self, node: str, name: str, index: int) -> Damage:
        array = self.over_subjects(node)[name]
        file = self.path / chunk.chunk_file(array, index)
        owner = subject_name(index, array.shape[0])
        return Damage(file, what_is_wrong(file), self._remedy(node), owner)

    @contextmanager
    def _rebuilding(self, node: str) -> Iterator[Path]:
        """Yield a folder to build a node in; keep the gathered metadata and the manifest true."""
        with self._lock, writing(self.path):
            self._begin_change()
            parent = node.rpartition("/")[0]
            self._make_groups(parent)
            with replacing(self.path, node, self._aside) as folder:
                yield folder
                # Noted before it takes its place; till then, and after a kill, both are right.
                before = self.manifest.versions(node)
                self.manifest.nodes[node] = [*before, digests(folder)]
                self.manifest.write()
            self.manifest.settle(node)
            self._arrays.pop(node, None)
            self._checked.discard(node)
            self._gather()

    def _begin_change(self) -> None:
        """Let the root's file be what it is while nodes change."""
        if self.manifest.root_digest is not None:
            self.manifest.root_digest = None
            self.manifest.write()
        spread(self.path)

    def _make_groups(self, node: str) -> None:
        """Make the groups above a node, in the place of damaged ones too."""
        for group in with_parents([node] if node else []):
            if group not in self.manifest or any(self.damage([group])):
                draft = self._aside / "group"
                shutil.rmtree(draft, ignore_errors=True)
                zarr.create_group(str(draft), zarr_format=3)
                (self.path / group).mkdir(exist_ok=True)
                self.manifest.nodes[group] = [digests(draft)]
                _move(draft / "zarr.json", self.path / group / "zarr.json")
                shutil.rmtree(draft)

    def _gather(self) -> None:
        """Gather the metadata, unless some is damaged still; note what the root's file is then."""
        damaged = any(each.file.name == "zarr.json" for each in self.damage())
        spread(self.path) if damaged else gather(self.path)
        self.manifest.root_digest = file_digest(self.path / "zarr.json")
        self.manifest.write()

    def _adopt(
        self, node: str, sample: xr.Dataset, static: xr.Dataset, build: Callable[[Path], None]
    ) -> None:
        """Note a node of which the manifest knows nothing, as it would be made now."""
        try:
            with_values = xr.open_zarr(
                str(self.path), group=node, consolidated=False, chunks=None, zarr_format=3
            )
            check_like(with_coords(with_values), sample, static, node)
        except VirtuallabError:
            raise
        except Exception:  # it cannot be read: its metadata is damaged and is made anew
            pass
        self._mend(node, build)

    def _mend(self, node: str, build: Callable[[Path], None]) -> None:
        """Put metadata and coordinates that differ from what they have to be back in place."""
        with self._lock, writing(self.path):
            self._begin_change()
            self._make_groups(node.rpartition("/")[0])
            draft = self._aside / "mended" / node
            shutil.rmtree(draft, ignore_errors=True)
            draft.parent.mkdir(parents=True, exist_ok=True)
            build(draft)
            fresh = digests(draft)
            if node in self.manifest and fresh not in self.manifest.versions(node):
                raise MachineError(
                    f"{self.path / node}: its metadata or coordinates are damaged and cannot be "
                    "made as they were: this version makes others. Copy the experiment again."
                )
            for name, expected in fresh.items():
                if file_digest(self.path / node / name) != expected:
                    _move(draft / name, self.path / node / name)
            shutil.rmtree(self._aside)
            self.manifest.nodes[node] = [fresh]
            self._arrays.pop(node, None)
            self._checked.discard(node)
            self._gather()


def _stored(array: zarr.Array[Any], indices: list[int]) -> np.ndarray | None:
    """Values of some subjects; None if a chunk cannot be read."""
    try:
        return np.asarray(array.oindex[np.array(indices, dtype=np.intp)])
    except Exception:  # a torn chunk can fail in any codec, in ways of its own
        return None


def _to_zarr(dataset: xr.Dataset, folder: Path, encoding: Mapping[str, Any] | None = None) -> None:
    with quiet():
        dataset.to_zarr(str(folder), mode="a", consolidated=False, zarr_format=3, encoding=encoding)


def _move(file: Path, place: Path) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    file.replace(place)
