"""One experiment on disk. Every write of the package goes through here."""

from __future__ import annotations

import json
import shutil
from collections.abc import Collection, Hashable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
import zarr

from virtuallab.errors import StoreError
from virtuallab.store import chunk
from virtuallab.store.disk import settle, writing
from virtuallab.store.layout import is_text, words
from virtuallab.store.open import SCHEMA_VERSION, check_is_ours
from virtuallab.store.records import Records
from virtuallab.store.swap import put_back
from virtuallab.store.tree import Tree
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
        self._tree = Tree(path, self._records.aside)

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
            If something is there, the name does not end in ``.zarr``, or the place may not be
            written.
        MachineError
            If the disk fails.
        """
        if path.suffix != ".zarr":
            raise StoreError(f"{path}: an experiment's name ends in .zarr; call it {path}.zarr.")
        _refuse_existing(path)
        records = Records(path)
        with writing(path.parent):
            path.parent.mkdir(parents=True, exist_ok=True)
            # Records of a store that was removed would say that all of this one is done.
            shutil.rmtree(records.folder, ignore_errors=True)
            # A store is there whole or not at all: it is made aside and renamed.
            draft = records.aside / path.name
            draft.parent.mkdir(parents=True)
            attributes = {
                "virtuallab_schema": SCHEMA_VERSION,
                **provenance,
                "plan": json.dumps(plan, sort_keys=True),
            }
            zarr.create_group(str(draft), attributes=attributes, zarr_format=3)
            Tree(draft, records.aside / "nodes").write_table("subjects", subjects)
            _refuse_existing(path)
            draft.rename(path)
            shutil.rmtree(records.aside)
        return cls(path)

    @classmethod
    def open(cls, path: Path) -> Store:
        """Open a store to go on with it.

        Raises
        ------
        StoreError
            If there is none, it is not ours, or its records are missing.
        """
        check_is_ours(path)
        store = cls(path)
        if not store._records.folder.is_dir():
            raise StoreError(
                f"{store._records.folder} is missing. It belongs beside {path.name}: move both."
            )
        with writing(path):
            put_back(path, store._records.aside)
        return store

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
        names = self.subjects[SUBJECT]
        # Without the coordinates that each brings along.
        given = {SUBJECT: names, **(coords or {})}
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
        with writing(self.path):
            for node, names in record.get("checksums", {}).items():
                arrays = self._tree.over_subjects(node)
                for name in names:
                    settle(self.path / chunk.chunk_file(arrays[name], subject))
        self._records.commit(stage, subject, record)

    def committed(self, stage: str) -> dict[int, dict[str, Any]]:
        """Return the records of a stage by subject index."""
        return self._records.of(stage)

    def write_table(self, node: str, dataset: xr.Dataset) -> None:
        """Write a small table whole, each variable in one chunk, in the place of an older one."""
        self._tree.write_table(node, dataset)

    def read(self, node: str, subject: int | None = None) -> xr.Dataset:
        """Read a node: of one subject without a subject axis, or lazily of all."""
        return self._tree.read(node) if subject is None else self._tree.read_subject(node, subject)

    def nodes(self) -> list[str]:
        """Return every node that holds arrays."""
        return self._tree.nodes()

    def finish(self) -> None:
        """Sweep up what a kill left half written, and gather the metadata; done last, alone."""
        self._tree.finish()

    def verify(self) -> list[str]:
        """Compare every committed chunk with its checksum; return a line for each damaged one."""
        return [
            f"{node}/{name} of subject {index} is not what was written. Remove "
            f"{self._records.file(stage, index)}, and the same command makes it again."
            for stage in self._records.stages()
            for index, record in self.committed(stage).items()
            for node, checksums in record.get("checksums", {}).items()
            for name, expected in checksums.items()
            if not self._is_intact(node, name, index, expected)
        ]

    def _is_intact(self, node: str, name: str, subject: int, expected: str) -> bool:
        arrays = self._tree.over_subjects(node) if node in self._tree else {}
        return name in arrays and chunk.is_intact(self.path, arrays[name], subject, expected)


def _refuse_existing(path: Path) -> None:
    if path.exists():
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
