"""The zarr tree of an experiment: which nodes there are, and what each is made for."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
import zarr

from virtuallab.errors import StoreError
from virtuallab.store.disk import writing
from virtuallab.store.layout import (
    along,
    as_words,
    check_like,
    declare_array,
    own_coords,
    table_encoding,
    value_dims,
)
from virtuallab.store.metadata import gather, quiet, spread
from virtuallab.store.open import with_coords
from virtuallab.store.swap import replacing
from virtuallab.vocabulary import SUBJECT


class Tree:
    """Nodes of labelled arrays below one folder. A node appears whole, and is replaced whole.

    Parameters
    ----------
    path : Path
        Root of the tree; it is there.
    aside : Path
        Folder on the same disk in which nodes are built.
    """

    def __init__(self, path: Path, aside: Path) -> None:
        self.path = path
        self._aside = aside
        self._root = zarr.open_group(str(path), mode="r+", use_consolidated=False)
        self._arrays: dict[str, dict[str, zarr.Array[Any]]] = {}
        self._lock = threading.Lock()

    def __contains__(self, node: str) -> bool:
        return node in self._root

    @property
    def attributes(self) -> dict[str, Any]:
        """Attributes of the root."""
        return self._root.attrs.asdict()

    def declare(
        self,
        node: str,
        sample: xr.Dataset,
        static: xr.Dataset,
        attributes: Mapping[str, str],
    ) -> None:
        """Make a node for values like one subject's, or see that it is there for such values.

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
        """
        static = as_words(static)
        if node in self:
            check_like(self.read(node), sample, static, node)
            return
        with self._rebuilding(node) as folder:
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

    def write_table(self, node: str, table: xr.Dataset) -> None:
        """Write a small table whole, each variable in one chunk, in the place of an older one."""
        table = as_words(table.drop_encoding())
        with self._rebuilding(node) as folder:
            _to_zarr(table, folder, encoding=table_encoding(table))

    def read(self, node: str) -> xr.Dataset:
        """Read a node: coordinates and words loaded, numbers when they are needed."""
        self._group(node)
        dataset = xr.open_zarr(
            str(self.path), group=node, consolidated=False, chunks=None, zarr_format=3
        )
        return with_coords(dataset)

    def read_subject(self, node: str, subject: int) -> xr.Dataset:
        """Read one subject's values, without a subject axis and without coordinates."""
        arrays = self.over_subjects(node)
        return with_coords(
            xr.Dataset({k: (value_dims(a), np.asarray(a[subject])) for k, a in arrays.items()})
        )

    def over_subjects(self, node: str) -> dict[str, zarr.Array[Any]]:
        """Arrays of a declared node with one chunk a subject, by name."""
        if node not in self._arrays:
            group = self._group(node)
            coords = str(group.attrs.get("coordinates", "")).split()
            self._arrays[node] = {
                # Chunks of zeros are written as well: that a file is there has to mean something.
                name: array.with_config({"write_empty_chunks": True})
                for name, array in group.arrays()
                if name not in coords and array.metadata.dimension_names != (name,)  # type: ignore[union-attr]
            }
        return self._arrays[node]

    def nodes(self) -> list[str]:
        """Return every node that holds arrays."""
        return sorted(
            path
            for path, member in self._root.members(max_depth=None)
            if isinstance(member, zarr.Group) and any(True for _ in member.array_keys())
        )

    def finish(self) -> None:
        """Sweep up what a kill left half written, and gather the metadata; done last, alone."""
        with self._lock, writing(self.path):
            for pattern in ("*.partial", "*.tmp"):
                for leftover in self.path.rglob(pattern):
                    leftover.unlink()
            gather(self.path)

    def _group(self, node: str) -> zarr.Group:
        group = self._root.get(node)
        if not isinstance(group, zarr.Group):
            raise StoreError(f"{self.path} has no {node}. It has {', '.join(self.nodes())}.")
        return group

    @contextmanager
    def _rebuilding(self, node: str) -> Iterator[Path]:
        """Yield a folder to build a node in; keep the gathered metadata true."""
        with self._lock, writing(self.path):
            spread(self.path)
            parent = node.rpartition("/")[0]
            if parent:
                self._root.require_group(parent)
            with replacing(self.path, node, self._aside) as folder:
                yield folder
            self._arrays.pop(node, None)
            gather(self.path)


def _to_zarr(dataset: xr.Dataset, folder: Path, encoding: Mapping[str, Any] | None = None) -> None:
    with quiet():
        dataset.to_zarr(str(folder), mode="a", consolidated=False, zarr_format=3, encoding=encoding)
