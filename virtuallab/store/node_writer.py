"""Writing, replacement, repair and removal of the nodes of an experiment's zarr tree."""

from __future__ import annotations

import re
import shutil
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import xarray as xr
import zarr

from virtuallab.errors import MachineError, VirtuallabError
from virtuallab.store.files.atomic_replace import remove_nodes, replace_node
from virtuallab.store.files.atomic_write import writing
from virtuallab.store.files.digest import file_digest
from virtuallab.store.integrity.manifest import digests
from virtuallab.store.integrity.static_files import with_parents
from virtuallab.store.layout.arrays import (
    check_same_form,
    declare_array,
    lies_along,
    subject_coords,
    table_encoding,
    with_string_objects,
)
from virtuallab.store.layout.zarr_metadata import consolidate, quiet_zarr, unconsolidate
from virtuallab.store.node_reader import NodeReader
from virtuallab.store.open import open_node
from virtuallab.vocabulary import SUBJECT

# Files that a killed writer leaves: zarr's, and those of `write_text`.
_LEFTOVER = re.compile(r"(zarr|c(\.[0-9]+)*)\.[0-9a-f]+\.partial|zarr\.json\.[0-9]+\.[0-9]+\.tmp")


class NodeWriter:
    """Writer of nodes: each appears whole and is replaced whole; the manifest is kept up to date.

    Parameters
    ----------
    reader : NodeReader
        Of the same tree.
    staging : Path
        Folder on the same disk in which nodes are built.
    """

    def __init__(self, reader: NodeReader, staging: Path) -> None:
        self._reader = reader
        self._path = reader.path
        self._manifest = reader.manifest
        self._staging = staging
        self._lock = threading.Lock()

    def declare(
        self, node: str, sample: xr.Dataset, static: xr.Dataset, attributes: Mapping[str, str]
    ) -> None:
        """Make a node, or check that it exists with this form; see :meth:`Store.declare`.

        Parameters
        ----------
        node : str
        sample : xr.Dataset
            One subject's values, without a subject axis. Its coordinates that are not static are
            written by subject, as values are.
        static : xr.Dataset
            Coordinates that are the same for every subject, with ``subject`` among them.
        attributes : mapping
            Text for the node.
        """
        static = with_string_objects(static)

        def build(folder: Path) -> None:
            group = zarr.create_group(str(folder), zarr_format=3)
            own = subject_coords(sample, static)
            for name in [*map(str, sample.data_vars), *own]:
                # A subject's own coordinates are named on the values that have their axes, by the
                # CF conventions, which separates what is written by subject from what is not.
                named = " ".join(
                    o for o in own if name not in own and lies_along(own[o], sample[name])
                )
                values = sample[name].assign_attrs({"coordinates": named} if named else {})
                declare_array(group, name, values, static.sizes[SUBJECT])
            _to_zarr(static, folder)
            # Named on the node, by the CF conventions, or readers would take them for values.
            auxiliary = " ".join(sorted(map(str, set(static.coords) - set(static.dims))))
            group.attrs.update({**attributes, "coordinates": auxiliary})

        if not ((self._path / node).is_dir() and node in self._reader):
            with self._rebuilding(node) as folder:
                build(folder)
            return
        if node not in self._manifest:
            self._check_unlisted(node, sample, static)
        if self._reader.is_damaged(node):
            self._repair(node, build)
        check_same_form(self._reader.read(node), sample, static, node)

    def write_table(self, node: str, table: xr.Dataset) -> None:
        """Write a small table whole, each variable in one chunk, in the place of an older one."""
        table = with_string_objects(table.drop_encoding())
        with self._rebuilding(node) as folder:
            _to_zarr(table, folder, encoding=table_encoding(table))

    def remove(self, nodes: Sequence[str]) -> None:
        """Remove nodes and all below them; missing ones are skipped."""
        with self._changing():
            below = tuple(f"{node}/" for node in nodes)
            above = with_parents(nodes)
            touched = [n for n in self._manifest.nodes if n in above or n.startswith(below)]
            # Noted before they go; until then, and after a kill, they may exist or not.
            for each in touched:
                self._manifest.nodes[each] = [*self._manifest.versions(each), None]
            self._manifest.write()
            remove_nodes(self._path, nodes, self._staging)
            for each in touched:
                if (self._path / each).exists():  # a group in which other nodes are left
                    self._manifest.nodes[each] = self._manifest.versions(each)[:-1]
                else:
                    self._manifest.keep_last(each)
                self._reader.forget(each)

    def finish(self) -> None:
        """Delete files of killed writers and consolidate the metadata; called last, alone."""
        with self._lock, writing(self._path):
            for leftover in self._path.rglob("*"):
                if _LEFTOVER.fullmatch(leftover.name) and leftover.is_file():
                    leftover.unlink()
            self._consolidate()

    @contextmanager
    def _changing(self) -> Iterator[None]:
        """Hold the lock for changes of nodes; update consolidated metadata and manifest after."""
        with self._lock, writing(self._path):
            if self._manifest.root_digest is not None:
                self._manifest.root_digest = None
                self._manifest.write()
            unconsolidate(self._path)
            yield
            self._consolidate()

    def _consolidate(self) -> None:
        """Consolidate the metadata, unless some is damaged; note the digest of the root's file."""
        damaged = any(each.file.name == "zarr.json" for each in self._reader.static.damage())
        unconsolidate(self._path) if damaged else consolidate(self._path)
        self._manifest.root_digest = file_digest(self._path / "zarr.json")
        self._manifest.write()

    @contextmanager
    def _rebuilding(self, node: str) -> Iterator[Path]:
        """Yield a folder in which to build a node."""
        with self._changing():
            self._make_groups(node.rpartition("/")[0])
            with replace_node(self._path, node, self._staging) as folder:
                yield folder
                # Noted before it takes its place; until then, and after a kill, both are right.
                before = self._manifest.versions(node)
                self._manifest.nodes[node] = [*before, digests(folder)]
                self._manifest.write()
            self._manifest.keep_last(node)
            self._reader.forget(node)

    def _make_groups(self, node: str) -> None:
        """Make the groups above a node, also in the place of damaged ones."""
        for group in with_parents([node] if node else []):
            if self._reader.is_damaged(group):
                draft = self._staging / "group"
                shutil.rmtree(draft, ignore_errors=True)
                zarr.create_group(str(draft), zarr_format=3)
                (self._path / group).mkdir(exist_ok=True)
                self._manifest.nodes[group] = [digests(draft)]
                _move(draft / "zarr.json", self._path / group / "zarr.json")
                shutil.rmtree(draft)

    def _check_unlisted(self, node: str, sample: xr.Dataset, static: xr.Dataset) -> None:
        """Refuse a node that the manifest does not list, if it has another form."""
        try:
            check_same_form(open_node(self._path, node), sample, static, node)
        except VirtuallabError:
            raise
        except Exception:  # it cannot be read: its metadata is damaged and is made anew
            pass

    def _repair(self, node: str, build: Callable[[Path], None]) -> None:
        """Replace damaged metadata and coordinates."""
        with self._changing():
            self._make_groups(node.rpartition("/")[0])
            draft = self._staging / "repaired" / node
            shutil.rmtree(draft, ignore_errors=True)
            draft.parent.mkdir(parents=True, exist_ok=True)
            build(draft)
            fresh = digests(draft)
            if node in self._manifest and fresh not in self._manifest.versions(node):
                raise MachineError(
                    f"{self._path / node}: its metadata or coordinates are damaged and cannot be "
                    "made as they were: this version makes others. Copy the experiment again."
                )
            for name, expected in fresh.items():
                if file_digest(self._path / node / name) != expected:
                    _move(draft / name, self._path / node / name)
            shutil.rmtree(self._staging)
            self._manifest.nodes[node] = [fresh]
            self._reader.forget(node)


def _to_zarr(dataset: xr.Dataset, folder: Path, encoding: Mapping[str, Any] | None = None) -> None:
    with quiet_zarr():
        dataset.to_zarr(str(folder), mode="a", consolidated=False, zarr_format=3, encoding=encoding)


def _move(file: Path, place: Path) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    file.replace(place)
