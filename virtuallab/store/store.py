"""One experiment on disk. Every write of the package goes through here."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Collection, Hashable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
import zarr

from virtuallab.errors import StoreError
from virtuallab.store.files.atomic_write import settle, writing
from virtuallab.store.files.digest import file_digest
from virtuallab.store.integrity.commit_records import Records, records_folder
from virtuallab.store.integrity.damage import Damage
from virtuallab.store.integrity.manifest import FILE as MANIFEST
from virtuallab.store.integrity.manifest import Manifest
from virtuallab.store.integrity.ownership import check_free, check_own, mark, mark_damage, mend_mark
from virtuallab.store.integrity.recovery import mend
from virtuallab.store.integrity.verification import manifest_of, mend_root, of_root, unlisted
from virtuallab.store.layout import chunk
from virtuallab.store.layout.arrays import is_text, words
from virtuallab.store.layout.location import check_place
from virtuallab.store.layout.zarr_metadata import root_metadata
from virtuallab.store.node_writer import Tree
from virtuallab.store.open import SCHEMA_VERSION, check_is_ours
from virtuallab.vocabulary import SUBJECT


class Store:
    """An experiment on disk: a zarr v3 tree, and the commit records beside it.

    Arrays over subjects have one chunk to a subject and are written by :meth:`write`, from any
    number of threads or processes, each subject once. Nodes are declared, and small tables written
    whole, by one process. Every state in between opens, with or without virtuallab.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._records = Records(path)
        self._tree = Tree(path, self._records.aside(path), manifest_of(path))

    @classmethod
    def create(
        cls,
        path: Path,
        *,
        subjects: xr.Dataset,
        provenance: Mapping[str, str],
        plan: Mapping[str, Any],
    ) -> Store:
        """Make an empty store for these subjects.

        Parameters
        ----------
        path : Path
            ``NAME.zarr``; nothing may be there yet.
        subjects : xr.Dataset
            The table of subjects, dims (subject).
        provenance : mapping
            Text for the root's attributes.
        plan : mapping
            What decides the bytes of the result; plain data.

        Raises
        ------
        StoreError
            If something is there, the name does not end in ``.zarr``, the place may not be
            written, or the records that lie there belong to something else.
        MachineError
            If the disk fails.
        """
        check_place(path)
        if path.suffix != ".zarr":
            raise StoreError(f"{path}: an experiment's name ends in .zarr; call it {path}.zarr.")
        _refuse_existing(path)
        records = Records(path)
        check_free(records.folder, path)
        attributes = {
            "virtuallab_schema": SCHEMA_VERSION,
            **provenance,
            "plan": json.dumps(plan, sort_keys=True),
        }
        with writing(path.parent):
            records.folder.mkdir(parents=True, exist_ok=True)
            mark(records.folder, attributes)
            # A store is there whole or not at all: it is made aside and renamed.
            aside = records.aside(path.parent)
            shutil.rmtree(aside, ignore_errors=True)
            draft = aside / path.name
            draft.parent.mkdir(parents=True)
            zarr.create_group(str(draft), attributes=attributes, zarr_format=3)
            manifest = Manifest(records.folder / MANIFEST, root=root_metadata(draft))
            manifest.write()
            Tree(draft, aside / "nodes", manifest).write_table("subjects", subjects)
            _refuse_existing(path)
            draft.rename(path)
            shutil.rmtree(aside)
        return cls(path)

    @classmethod
    def open(cls, path: Path) -> Store:
        """Open a store with its records; to write into it, hold :func:`writer` too.

        Raises
        ------
        StoreError
            If there is none, it is not ours, or its records are missing or another store's.
        MachineError
            If the root's metadata or the manifest is damaged.
        """
        check_is_ours(path)
        check_own(records_folder(path), path)
        mend(path)
        return cls(path)

    @staticmethod
    def mend_root(path: Path) -> None:
        """Make a damaged manifest, mark or metadata file of the root anew, each from the others.

        What else is damaged is made anew by who made it: :meth:`declare` and :meth:`write_table`
        replace damaged files, and of subjects see :meth:`make_anew`.

        Raises
        ------
        StoreError
            If the records are another store's.
        MachineError
            If too much is damaged.
        """
        folder = records_folder(path)
        if folder.is_dir() and path.is_dir():
            check_own(folder, path)
            with writing(path):
                mend_root(path)
                mend_mark(folder, path)

    @property
    def provenance(self) -> dict[str, str]:
        """Where the experiment came from: the root's attributes but for the plan."""
        return {k: str(v) for k, v in self._tree.attributes.items() if k != "plan"}

    @property
    def plan(self) -> dict[str, Any]:
        """What decides the bytes of the result."""
        plan: dict[str, Any] = json.loads(str(self._tree.attributes["plan"]))
        return plan

    @property
    def subjects(self) -> xr.Dataset:
        """The table of subjects."""
        return self.read("subjects")

    @cached_property
    def _names(self) -> xr.DataArray:
        """Names of the subjects, which are given once for all."""
        return self.subjects[SUBJECT]

    def declare(
        self,
        node: str,
        sample: xr.Dataset,
        *,
        coords: Mapping[str, xr.DataArray] | None = None,
        own: Collection[str] = (),
        attributes: Mapping[str, str] | None = None,
    ) -> None:
        """Make a node for values like one subject's ``sample``; do nothing if it is there.

        Parameters
        ----------
        node : str
            ``recordings/utah/knet4``.
        sample : xr.Dataset
            What one subject's values look like, without a subject axis. Its coordinates but for
            ``own`` are the same for everybody and are written now.
        coords : mapping from name to DataArray, optional
            Coordinates over subjects, written now. A tree hands down no coordinate that is not a
            dimension's own, so each node has what it is to be grouped by.
        own : collection of str
            Coordinates of the sample that each subject has its own values of: written with them.
        attributes : mapping, optional
            Text for the node.

        Raises
        ------
        StoreError
            If the node is there for other values or with other coordinates.
        """
        # Without the coordinates that each brings along.
        given = {SUBJECT: self._names, **(coords or {})}
        every: dict[Hashable, xr.DataArray] = {**sample.coords}
        every.update(given)
        static = xr.Dataset(coords={n: c.variable for n, c in every.items() if n not in own})
        self._tree.declare(node, sample, static, attributes or {})

    def write(
        self, node: str, subject: int, values: xr.Dataset | Mapping[str, np.ndarray]
    ) -> dict[str, str]:
        """Write one subject's chunks of a node. Nothing else writes values over subjects.

        Parameters
        ----------
        node : str
        subject : int
            Index of the subject.
        values : xr.Dataset or mapping
            Every variable of the node and the subject's own coordinates, without a subject axis.

        Returns
        -------
        dict
            Checksum of each variable's values, for the commit record.

        Raises
        ------
        StoreError
            If the values are not those that were declared, or the subject is committed with others.
        MachineError
            If the disk fails.
        """
        declared = self._tree.over_subjects(node)
        given = _variables(values, declared)
        if given.keys() != declared.keys():
            raise StoreError(f"{node} holds {sorted(declared)}, not {sorted(given)}.")
        arrays = {}
        for name, value in given.items():
            chunk.check_chunk(declared[name], f"{node}/{name}", subject, value)
            array = np.asarray(value)
            arrays[name] = words(array) if is_text(array.dtype) else array
        checksums = {name: chunk.checksum(array) for name, array in arrays.items()}
        committed = self._records.checksums(node, subject)
        if committed and committed[1] != checksums:
            raise StoreError(
                f"subject {subject} is committed in {node} with other values. "
                f"Remove {self._records.file(committed[0], subject)} to replace it."
            )
        with writing(self.path):
            for name, array in arrays.items():
                chunk.write_chunk(declared[name], subject, array)
        return checksums

    def commit(self, stage: str, subject: int, record: Mapping[str, Any]) -> None:
        """Say that a subject is done with a stage; call it after its chunks are written.

        Parameters
        ----------
        stage : str
            ``"subjects"``, ``"probe-utah"``.
        subject : int
            Index of the subject.
        record : mapping
            Plain data. Under ``checksums``, for each node what :meth:`write` returned: these chunks
            are on the disk before the record is.

        Raises
        ------
        MachineError
            If the disk fails.
        """
        files: dict[str, dict[str, str | None]] = {}
        with writing(self.path):
            for node, names in record.get("checksums", {}).items():
                arrays = self._tree.over_subjects(node)
                files[node] = {}
                for name in names:
                    file = self.path / chunk.chunk_file(arrays[name], subject)
                    settle(file)
                    # Of the bytes too: a compressed file can change and hold the same values.
                    files[node][name] = file_digest(file)
        self._records.commit(stage, subject, {**record, "files": files})

    def committed(self, stage: str, *, only_sound: bool = False) -> dict[int, dict[str, Any]]:
        """Return the records of a stage by subject index.

        Parameters
        ----------
        stage : str
        only_sound : bool
            Leave damaged records out.

        Raises
        ------
        MachineError
            If records are damaged and not left out; all of them are named.
        """
        return self._records.scan(stage)[0] if only_sound else self._records.of(stage)

    def write_table(self, node: str, dataset: xr.Dataset) -> None:
        """Write a small table whole, each variable in one chunk, in the place of an older one."""
        self._tree.write_table(node, dataset)

    def remove(self, stage: str, nodes: Sequence[str]) -> None:
        """Remove a stage's records, and nodes with all below them.

        A kill in between leaves nodes of which no subject is committed; the same call ends it.

        Raises
        ------
        MachineError
            If the disk fails.
        """
        with writing(self.path):
            # First: a record without its chunks would say that what is missing is there.
            self._records.remove(stage)
            self._tree.remove(nodes)

    def read(self, node: str, subject: int | None = None) -> xr.Dataset:
        """Read a node: of one subject without a subject axis, or lazily of all.

        Metadata, coordinates and tables are compared with their digests; values of subjects are
        where they are read of one subject, and by :meth:`read_values`.

        Raises
        ------
        StoreError
            If there is no such node.
        MachineError
            If what is read is damaged; each file is named with what makes it anew.
        """
        if subject is None:
            return self._tree.read(node)
        return self._tree.read_values(node, self._expected(node, [subject])).isel({SUBJECT: 0})

    def read_values(self, node: str, subjects: Sequence[int]) -> xr.Dataset:
        """Read all values of some subjects, with coordinates, each compared with its checksum.

        Parameters
        ----------
        node : str
        subjects : sequence of int
            Indices, in the order wanted.

        Returns
        -------
        xr.Dataset
            In memory, dims (subject, ...).

        Raises
        ------
        StoreError
            If there is no such node.
        MachineError
            If values of these subjects are missing or damaged, or a coordinate is; each file is
            named with its subject and what makes it anew.
        """
        found = self._tree.read(node).isel({SUBJECT: list(subjects)})
        values = self._tree.read_values(node, self._expected(node, subjects))
        read = {name: found[name].copy(data=v.to_numpy()) for name, v in values.data_vars.items()}
        own = {name: coord for name, coord in read.items() if name in found.coords}
        return (
            found.assign_coords(own).assign({n: v for n, v in read.items() if n not in own}).load()
        )

    def check_values(self, node: str, subjects: Sequence[int]) -> None:
        """Compare values of some subjects with their checksums; of those that are committed.

        Raises
        ------
        StoreError, MachineError
            As of :meth:`read_values`.
        """
        self._tree.check(node)
        for index, checksums in self._expected(node, subjects).items():
            if checksums:  # one at a time: recordings may be large
                self._tree.read_values(node, {index: checksums})

    def _expected(self, node: str, subjects: Sequence[int]) -> dict[int, dict[str, str]]:
        found = {index: self._records.checksums(node, index) for index in subjects}
        return {index: each[1] if each else {} for index, each in found.items()}

    def nodes(self) -> list[str]:
        """Return every node that holds arrays."""
        return self._tree.nodes()

    def finish(self) -> None:
        """Sweep up what a kill left half written, and gather the metadata; done last, alone."""
        self._tree.finish()

    def verify(self) -> list[Damage]:
        """Compare every file and every commit record with its digest; return what is damaged."""
        manifest = self._tree.manifest
        return [
            *of_root(self.path, manifest),
            *mark_damage(self._records.folder, self.path),
            *self._tree.damage(),
            *unlisted(self.path, manifest),
            *self.damaged_records(),
            *(each for stage in self._records.stages() for _, each in self._damaged_chunks(stage)),
        ]

    def damaged_records(self) -> list[Damage]:
        """Return the damaged commit records of all stages."""
        return [each for stage in self._records.stages() for each in self._records.scan(stage)[1]]

    def is_damaged(self, node: str) -> bool:
        """Whether metadata, a coordinate or a table's values of a node are damaged.

        They are taken for damaged where the manifest, made anew, does not tell.
        """
        return node not in self._tree.manifest or bool(self._tree.damage([node]))

    def make_anew(self, stage: str) -> int:
        """Take subjects of whom a record or a chunk is damaged for not done with a stage.

        Nothing is removed: what is damaged stays until the subject is committed again.

        Returns
        -------
        int
            How many subjects.
        """
        damaged = {*self._records.damaged(stage), *(i for i, _ in self._damaged_chunks(stage))}
        for index in damaged:
            self._records.make_anew(stage, index)
        return len(damaged)

    def _damaged_chunks(self, stage: str) -> Iterator[tuple[int, Damage]]:
        for index, record in self._records.scan(stage)[0].items():
            for node, checksums in record.get("checksums", {}).items():
                files = record.get("files", {}).get(node, {})
                for each in self._tree.damaged_chunks(node, index, checksums, files):
                    yield index, each


def _refuse_existing(path: Path) -> None:
    if os.path.lexists(path):
        raise StoreError(f"{path} exists already.")


def _variables(
    values: xr.Dataset | Mapping[str, np.ndarray], declared: Collection[str]
) -> Mapping[str, xr.Variable | np.ndarray]:
    if isinstance(values, xr.Dataset):
        return {
            str(name): variable
            for name, variable in values.variables.items()
            if name in values.data_vars or name in declared
        }
    return values
