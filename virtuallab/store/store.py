"""The store of one experiment on disk: every write into it goes through here."""

from __future__ import annotations

import json
from collections.abc import Collection, Hashable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from virtuallab.errors import StoreError
from virtuallab.store.files.atomic_write import flush_to_disk, writing
from virtuallab.store.files.digest import file_digest
from virtuallab.store.integrity.commit_records import CommitRecords
from virtuallab.store.integrity.damage import Damage
from virtuallab.store.integrity.ownership import (
    check_ownership,
    mark_damage,
)
from virtuallab.store.integrity.recovery import recover_interrupted
from virtuallab.store.integrity.verification import read_manifest
from virtuallab.store.layout.arrays import as_strings, is_text, replace_variables
from virtuallab.store.layout.chunk import check_chunk, checksum, chunk_file, write_chunk
from virtuallab.store.layout.location import records_folder
from virtuallab.store.layout.zarr_metadata import LEFT_OUT
from virtuallab.store.node_reader import NodeReader
from virtuallab.store.node_writer import NodeWriter
from virtuallab.store.open import check_experiment
from virtuallab.vocabulary import SUBJECT


class Store:
    """An experiment on disk: a zarr v3 tree, and the commit records beside it.

    Arrays over subjects have one chunk for each subject and are written by :meth:`write`, from any
    number of threads or processes, each subject once. Nodes are declared, and small tables written
    whole, by one process. Every intermediate state can be opened, with or without virtuallab.

    Parameters
    ----------
    path : Path
        ``NAME.zarr``. Use :func:`create_store` or :meth:`open`, which check it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._records = CommitRecords(path)
        self._reader = NodeReader(path, read_manifest(path))
        self._writer = NodeWriter(self._reader, self._records.staging(path))

    @classmethod
    def open(cls, path: Path) -> Store:
        """Open a store with its records; to write into it, hold :func:`writer` too.

        Raises
        ------
        StoreError, MachineError
            If there is no store of virtuallab, or its records are missing or another store's; if
            the root's metadata or the manifest is damaged (see :func:`recovery.repair_root`).
        """
        check_experiment(path)
        check_ownership(records_folder(path), path)
        recover_interrupted(path)
        return cls(path)

    @property
    def provenance(self) -> dict[str, str]:
        """Attributes of the root that describe how the experiment was made, except the plan."""
        return {k: str(v) for k, v in self._reader.manifest.attributes.items() if k != "plan"}

    @property
    def left_out(self) -> tuple[str, ...]:
        """Nodes that were left out when this store was copied from another; empty if it was not."""
        return tuple(json.loads(str(self._reader.manifest.attributes.get(LEFT_OUT, "[]"))))

    @property
    def plan(self) -> dict[str, Any]:
        """Settings that decide the bytes of the results, as plain data."""
        plan: dict[str, Any] = json.loads(str(self._reader.manifest.attributes["plan"]))
        return plan

    @property
    def subjects(self) -> xr.Dataset:
        """The table of subjects, dims (subject)."""
        return self.read("subjects")

    @cached_property
    def _names(self) -> xr.DataArray:
        """Names of the subjects, which never change."""
        return self.subjects[SUBJECT]

    def nodes(self) -> list[str]:
        """Return every node that holds arrays."""
        return self._reader.nodes()

    def declare(
        self,
        node: str,
        sample: xr.Dataset,
        *,
        coords: Mapping[str, xr.DataArray] | None = None,
        own: Collection[str] = (),
        attributes: Mapping[str, str] | None = None,
    ) -> None:
        """Make a node for values like one subject's ``sample``, unless it exists.

        Damaged metadata and coordinates of a node that exists are made anew.

        Parameters
        ----------
        node : str
            ``recordings/utah/knet4``.
        sample : xr.Dataset
            An example of one subject's values, without a subject axis. Its coordinates except
            ``own`` are the same for every subject and are written now.
        coords : mapping from name to DataArray, optional
            Coordinates over subjects, written now. A tree hands down no coordinate that is not a
            dimension's own, so each node has those by which it is grouped.
        own : collection of str
            Coordinates of the sample of which each subject has its own values: written with them.
        attributes : mapping, optional
            Text for the node.

        Raises
        ------
        StoreError, MachineError
            If the node exists for other values or with other coordinates; if the disk fails, or
            damaged metadata cannot be made as it was.
        """
        # As variables, without the coordinates that each brings along.
        every: dict[Hashable, xr.DataArray] = {**sample.coords}
        every.update({SUBJECT: self._names, **(coords or {})})
        static = xr.Dataset(coords={n: c.variable for n, c in every.items() if n not in own})
        self._writer.declare(node, sample, static, attributes or {})

    def write(
        self, node: str, subject: int, values: xr.Dataset | Mapping[str, np.ndarray]
    ) -> dict[str, str]:
        """Write one subject's chunks of a node.

        No other function writes values over subjects.

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
        StoreError, MachineError
            If values differ in form from those declared, or the subject is committed with others;
            if the disk fails.
        """
        declared = self._reader.arrays(node)
        given: Mapping[str, xr.Variable | np.ndarray]
        if isinstance(values, xr.Dataset):
            kept = values.data_vars.keys() | declared.keys()
            given = {str(n): v for n, v in values.variables.items() if n in kept}
        else:
            given = values
        if given.keys() != declared.keys():
            raise StoreError(f"{node} holds {sorted(declared)}, not {sorted(given)}.")
        arrays = {}
        for name, value in given.items():
            check_chunk(declared[name], f"{node}/{name}", subject, value)
            array = np.asarray(value)
            arrays[name] = as_strings(array) if is_text(array.dtype) else array
        checksums = {name: checksum(array) for name, array in arrays.items()}
        committed = self._records.checksums(node, subject)
        if committed and committed[1] != checksums:
            raise StoreError(
                f"subject {subject} is committed in {node} with other values. "
                f"Remove {self._records.file(committed[0], subject)} to replace it."
            )
        with writing(self.path):
            for name, array in arrays.items():
                write_chunk(declared[name], subject, array)
        return checksums

    def commit(self, stage: str, subject: int, record: Mapping[str, Any]) -> None:
        """Mark a subject as done with a stage; call it after its chunks are written.

        Parameters
        ----------
        stage : str
            ``"subjects"``, ``"probe-utah"``.
        subject : int
            Index of the subject.
        record : mapping
            Plain data. Under ``checksums``, for each node what :meth:`write` returned: these chunks
            are on the disk before the record is.
        """
        files: dict[str, dict[str, str | None]] = {}
        with writing(self.path):
            for node, names in record.get("checksums", {}).items():
                arrays = self._reader.arrays(node)
                files[node] = {}
                for name in names:
                    file = self.path / chunk_file(arrays[name], subject)
                    flush_to_disk(file)
                    # Of the bytes too: a compressed file can change and hold the same values.
                    files[node][name] = file_digest(file)
        self._records.commit(stage, subject, {**record, "files": files})

    def committed(self, stage: str, *, only_sound: bool = False) -> dict[int, dict[str, Any]]:
        """Return the records of a stage by subject index.

        Raises
        ------
        MachineError
            If records are damaged, unless ``only_sound``; all of them are named.
        """
        return self._records.read(stage)[0] if only_sound else self._records.of(stage)

    def committed_subjects(self, stage: str) -> set[int]:
        """Return the indices of the subjects that are done with a stage, without their records.

        Raises
        ------
        MachineError
            As :meth:`committed`.
        """
        return self._records.indices(stage)

    def write_table(self, node: str, dataset: xr.Dataset) -> None:
        """Write a small table whole, each variable in one chunk, in the place of an older one."""
        self._writer.write_table(node, dataset)

    def remove(self, stage: str, nodes: Sequence[str]) -> None:
        """Remove a stage's records, and nodes with all below them.

        After a kill, nodes without committed subjects may be left; the same call removes them.
        """
        with writing(self.path):
            # First: a record without its chunks would claim that missing values exist.
            self._records.remove(stage)
            self._writer.remove(nodes)

    def read(self, node: str, subject: int | None = None) -> xr.Dataset:
        """Read a node: of one subject without a subject axis, or lazily of all.

        Metadata, coordinates and tables are compared with their digests; values of subjects are
        if one subject is read, otherwise by :meth:`read_values`, which raises the same errors.
        """
        if subject is None:
            return self._reader.read(node)
        return self._reader.read_values(node, self._checksums(node, [subject])).isel({SUBJECT: 0})

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
        StoreError, MachineError
            If there is no such node; if values of these subjects are missing or damaged, or a
            coordinate is. Each file is named with its subject and its repair command.
        """
        found = self._reader.read(node).isel({SUBJECT: list(subjects)})
        values = self._reader.read_values(node, self._checksums(node, subjects))
        read = {name: found[name].copy(data=v.to_numpy()) for name, v in values.data_vars.items()}
        return replace_variables(found, read).load()

    def check_values(self, node: str, subjects: Sequence[int]) -> None:
        """Compare committed values of subjects with their checksums; see :meth:`read_values`."""
        self._reader.check(node)
        for index, checksums in self._checksums(node, subjects).items():
            if checksums:  # one at a time: recordings may be large
                self._reader.read_values(node, {index: checksums})

    def _checksums(self, node: str, subjects: Sequence[int]) -> dict[int, dict[str, str]]:
        found = {index: self._records.checksums(node, index) for index in subjects}
        return {index: each[1] if each else {} for index, each in found.items()}

    def finish(self) -> None:
        """Delete partial files of killed writers, and consolidate the metadata; called last."""
        self._writer.finish()

    def verify(self) -> list[Damage]:
        """Return all damage, after comparing every file and commit record with its digest."""
        static = self._reader.static
        return [
            *static.root_damage(),
            *mark_damage(self._records.folder, self.path),
            *static.damage(),
            *map(static.unlisted_damage, static.unlisted()),
            *self.damaged_records(),
            *(each for stage in self._records.stages() for _, each in self._damaged_chunks(stage)),
        ]

    def damaged_records(self) -> list[Damage]:
        """Return the damaged commit records of all stages."""
        return [each for stage in self._records.stages() for each in self._records.damage(stage)]

    def is_damaged(self, node: str) -> bool:
        """Return whether metadata, coordinates or table values of a node are damaged.

        A node that a repaired manifest does not list counts as damaged.
        """
        return self._reader.is_damaged(node)

    def invalidate_damaged(self, stage: str) -> int:
        """Treat subjects with a damaged record or chunk as not done; return how many there are.

        Nothing is removed: damaged files stay until the subject is committed again.
        """
        damaged = {each for each, record in self._records.each(stage) if record is None}
        damaged.update(index for index, _ in self._damaged_chunks(stage))
        for index in damaged:
            self._records.invalidate(stage, index)
        return len(damaged)

    def _damaged_chunks(self, stage: str) -> Iterator[tuple[int, Damage]]:
        for index, record in self._records.each(stage):
            if record is None:
                continue
            for node, checksums in record.get("checksums", {}).items():
                files = record["files"][node]
                for each in self._reader.damaged_chunks(node, index, checksums, files):
                    yield index, each
