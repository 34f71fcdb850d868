"""One experiment on disk. Every write of the package goes through here."""

from __future__ import annotations

import hashlib
import json
import shutil
import threading
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
import zarr

from virtuallab.errors import StoreError
from virtuallab.store.disk import writing
from virtuallab.store.layout import as_words, check_like, declare_array, table_encoding
from virtuallab.store.open import SCHEMA_VERSION, check_is_ours, with_coords
from virtuallab.store.records import Records
from virtuallab.vocabulary import SUBJECT


class Store:
    """An experiment on disk: a zarr v3 tree, and the commit records beside it.

    Arrays over subjects have one chunk to a subject and are written by :meth:`write`, from any
    number of threads or processes, each subject once. Small tables are written whole by
    :meth:`write_table`, by one process.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._records = Records(path)
        self._root = zarr.open_group(str(path), mode="r+", use_consolidated=False)
        self._arrays: dict[str, zarr.Array[Any]] = {}
        self._variables: dict[str, set[str]] = {}
        self._lock = threading.Lock()

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
            If something is there, or the place may not be written.
        MachineError
            If the disk fails.
        """
        if path.exists():
            raise StoreError(f"{path} exists already.")
        with writing(path.parent):
            path.parent.mkdir(parents=True, exist_ok=True)
            # A store is there whole or not at all: it is made under another name and renamed.
            draft = path.with_name(f".{path.name}.draft")
            shutil.rmtree(draft, ignore_errors=True)
            attributes = {
                "virtuallab_schema": SCHEMA_VERSION,
                **provenance,
                "plan": json.dumps(plan, sort_keys=True),
            }
            zarr.create_group(str(draft), attributes=attributes, zarr_format=3)
            cls(draft).write_table("subjects", subjects)
            shutil.rmtree(Records(path).folder, ignore_errors=True)
            Records(path).folder.mkdir()
            draft.rename(path)
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
        return store

    @property
    def provenance(self) -> dict[str, str]:
        """Where the experiment came from: the root's attributes but for the plan."""
        return {k: str(v) for k, v in self._root.attrs.asdict().items() if k != "plan"}

    @property
    def plan(self) -> dict[str, Any]:
        """What decides the bytes of the result."""
        plan: dict[str, Any] = json.loads(str(self._root.attrs["plan"]))
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
        attributes: Mapping[str, str] | None = None,
    ) -> None:
        """Make a node for values like one subject's ``sample``; do nothing if it is there.

        Parameters
        ----------
        node : str
            ``recordings/utah/knet4``.
        sample : xr.Dataset
            What one subject's values look like, without a subject axis. Its coordinates are the
            same for everybody and are written now.
        coords : mapping from name to DataArray, optional
            Coordinates over subjects, written now.
        attributes : mapping, optional
            Text for the node.

        Raises
        ------
        StoreError
            If the node is there for other values.
        """
        names = self.subjects[SUBJECT]
        with self._lock, writing(self.path):
            group = self._root.require_group(node)
            declared = set(group.array_keys())
            for name, variable in sample.data_vars.items():
                if name in declared:
                    check_like(self._array(node, str(name)), variable, node)
            if declared:
                return
            static = as_words(
                xr.Dataset(coords={**sample.coords, SUBJECT: names, **(coords or {})})
            )
            for name, variable in sample.data_vars.items():
                declare_array(group, str(name), variable, len(names))
            # Each array names the coordinates that are no dimension's own, as CF has it.
            auxiliary = " ".join(sorted(map(str, set(static.coords) - set(static.dims))))
            _to_zarr(static, self.path, node, mode="a")
            group.attrs.update({**(attributes or {}), "coordinates": auxiliary})

    def write(
        self, node: str, subject: int, values: xr.Dataset | Mapping[str, np.ndarray]
    ) -> dict[str, str]:
        """Write one subject's chunks of a node. Nothing else in the package writes arrays.

        Parameters
        ----------
        node : str
        subject : int
            Index of the subject.
        values : xr.Dataset or mapping
            Every variable of the node, without a subject axis.

        Returns
        -------
        dict
            Checksum of each variable's values, for the commit record.

        Raises
        ------
        StoreError
            If the values are not those that were declared.
        MachineError
            If the disk fails.
        """
        arrays = {str(name): np.asarray(value) for name, value in _variables(values).items()}
        declared = self._variables_of(node)
        if arrays.keys() != declared:
            raise StoreError(f"{node} holds {sorted(declared)}, not {sorted(arrays)}.")
        checksums = {}
        for name, value in arrays.items():
            array = self._array(node, name)
            _check_chunk(array, f"{node}/{name}", subject, value)
            with writing(self.path):
                array[subject : subject + 1] = value[np.newaxis]
            checksums[name] = _checksum(value)
        return checksums

    def commit(self, stage: str, subject: int, record: Mapping[str, Any]) -> None:
        """Say that a subject is done with a stage; call it after its chunks are written."""
        self._records.commit(stage, subject, record)

    def committed(self, stage: str) -> dict[int, dict[str, Any]]:
        """Return the records of a stage by subject index."""
        return self._records.of(stage)

    def write_table(self, node: str, dataset: xr.Dataset) -> None:
        """Write a small table whole, each variable in one chunk, in the place of an older one."""
        words = as_words(dataset.drop_encoding())
        with self._lock, writing(self.path):
            # An older table goes first, or variables that are no longer in it would stay.
            if node in self._root:
                del self._root[node]
            self._root.require_group(node)
            _to_zarr(words, self.path, node, mode="a", encoding=table_encoding(words))

    def read(self, node: str, subject: int | None = None) -> xr.Dataset:
        """Read a node: of one subject without a subject axis, or lazily of all."""
        if subject is not None:
            arrays = {name: self._array(node, name) for name in self._variables_of(node)}
            return xr.Dataset(
                {
                    name: (array.metadata.dimension_names[1:], array[subject])  # type: ignore[union-attr,index]
                    for name, array in arrays.items()
                }
            )
        dataset = xr.open_zarr(
            str(self.path), group=node, consolidated=False, chunks=None, zarr_format=3
        )
        return with_coords(dataset)

    def nodes(self) -> list[str]:
        """Return every node that holds arrays."""
        return sorted(
            path
            for path, member in self._root.members(max_depth=None)
            if isinstance(member, zarr.Group) and any(True for _ in member.array_keys())
        )

    def finish(self) -> None:
        """Gather the metadata, so that readers open one file; done last, by one process."""
        with self._lock, writing(self.path), _quiet():
            zarr.consolidate_metadata(str(self.path))

    def verify(self) -> list[str]:
        """Compare every committed chunk with its checksum; return a line for each damaged one."""
        damaged = []
        for stage in self._records.stages():
            for index, record in self.committed(stage).items():
                for node, checksums in record.get("checksums", {}).items():
                    damaged += self._damage(node, index, checksums)
        return damaged

    def _damage(self, node: str, index: int, checksums: Mapping[str, str]) -> list[str]:
        lines = []
        for name, expected in checksums.items():
            try:
                intact = _checksum(np.asarray(self._array(node, name)[index])) == expected
            except Exception:  # a torn chunk can fail in any codec, in ways of its own
                intact = False
            if not intact:
                lines.append(f"{node}/{name} of subject {index}: not what was written.")
        return lines

    def _array(self, node: str, name: str) -> zarr.Array[Any]:
        path = f"{node}/{name}"
        if path not in self._arrays:
            array = self._root[path]
            assert isinstance(array, zarr.Array)
            self._arrays[path] = array.with_config({"write_empty_chunks": True})
        return self._arrays[path]

    def _variables_of(self, node: str) -> set[str]:
        """Names of the arrays with one chunk a subject; what is declared does not change."""
        if node not in self._variables:
            group = self._root.get(node)
            if not isinstance(group, zarr.Group):
                raise StoreError(f"{self.path} has no {node}.")
            fixed = {*str(group.attrs.get("coordinates", "")).split()}
            self._variables[node] = {
                name
                for name, array in group.arrays()
                if name not in fixed and name not in (array.metadata.dimension_names or ())  # type: ignore[union-attr]
            }
        return self._variables[node]


def _variables(values: xr.Dataset | Mapping[str, np.ndarray]) -> Mapping[Any, Any]:
    return values.data_vars if isinstance(values, xr.Dataset) else values


def _check_chunk(array: zarr.Array[Any], path: str, subject: int, value: np.ndarray) -> None:
    """Refuse anything but one whole chunk of one subject.

    Raises
    ------
    StoreError
    """
    if array.chunks != (1, *array.shape[1:]):
        raise StoreError(f"{path} does not have one chunk a subject; writes would destroy others.")
    if value.shape != array.shape[1:] or value.dtype != array.dtype:
        raise StoreError(
            f"{path} takes {array.shape[1:]} {array.dtype} of a subject, "
            f"not {value.shape} {value.dtype}."
        )
    if not 0 <= subject < array.shape[0]:
        raise StoreError(f"{path} has subjects 0 to {array.shape[0] - 1}, not {subject}.")


def _checksum(value: np.ndarray) -> str:
    return hashlib.blake2b(np.ascontiguousarray(value).tobytes(), digest_size=16).hexdigest()


def _to_zarr(
    dataset: xr.Dataset,
    path: Path,
    node: str,
    *,
    mode: Any,
    encoding: Mapping[str, Any] | None = None,
) -> None:
    with _quiet():
        dataset.to_zarr(
            str(path), group=node, mode=mode, consolidated=False, zarr_format=3, encoding=encoding
        )


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence the notes that consolidated metadata and strings are younger than zarr's v3 text."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Consolidated metadata is currently not part")
        warnings.filterwarnings("ignore", message=".*does not have a Zarr V3 specification")
        yield
