"""Open an experiment to look at it: plain xarray, coordinates loaded, values read when needed."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import xarray as xr

from virtuallab.errors import StoreError
from virtuallab.store.integrity.commit_records import records_folder
from virtuallab.store.integrity.damage import refuse
from virtuallab.store.integrity.ownership import MARK, check_own
from virtuallab.store.integrity.recovery import mend
from virtuallab.store.integrity.verification import check_static, manifest_of, of_root, reading
from virtuallab.store.layout.arrays import named_on_values
from virtuallab.store.layout.location import check_place
from virtuallab.store.layout.zarr_metadata import is_gathered, quiet, root_metadata

SCHEMA_VERSION = 1


def check_is_ours(path: Path) -> None:
    """Refuse whatever is not a store of ours that this version can read.

    Raises
    ------
    StoreError
        If it is no store of ours.
    MachineError
        If the root's metadata is damaged, or the manifest, which would tell.
    """
    check_place(path)
    if path.is_symlink() and not path.exists():
        raise StoreError(f"{path} is a link to {path.readlink()}, where nothing is.")
    if not path.exists():
        folders = sorted(path.parent.glob("*.zarr")) if path.parent.is_dir() else []
        near = [folder for folder in folders if _is_experiment(folder)]
        known = f" In {path.parent}: {', '.join(p.name for p in near)}." if near else ""
        records = records_folder(path)
        if (records / MARK).is_file():
            known = f" Its records are there, {records}: it was moved or removed.{known}"
        raise StoreError(f"{path}: there is no experiment.{known} Make one with virtuallab run.")
    if not path.is_dir():
        raise StoreError(f"{path} is a file; an experiment is a folder, runs/NAME.zarr.")
    if records_folder(path).is_dir():
        check_own(records_folder(path), path)
        refuse(of_root(path, manifest_of(path)), path)
    version = _schema_version(path)
    if version is None:
        raise StoreError(f"{path} is not an experiment of virtuallab.")
    if version > SCHEMA_VERSION:
        raise StoreError(
            f"{path} was made by a newer virtuallab (schema {version}, this one reads "
            f"{SCHEMA_VERSION}). Update virtuallab to open it."
        )


def _schema_version(path: Path) -> int | None:
    """Return of which schema a store's root says that it is; None if it does not say."""
    try:
        return int(root_metadata(path)["attributes"]["virtuallab_schema"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _is_experiment(path: Path) -> bool:
    """Whether a folder is an experiment, be it damaged; results of comparisons are zarr as well."""
    return (records_folder(path) / MARK).is_file() or _schema_version(path) is not None


def open_tree(path: Path, without: Collection[str] = ()) -> xr.DataTree:
    """Open an experiment with all its coordinates loaded, and its values left on disk.

    Metadata, coordinates and tables are compared with their digests, where ``NAME.records`` is
    beside it; values of subjects are not.

    Parameters
    ----------
    path : Path
    without : collection of str
        Nodes that are left out with all below them, and not looked at: see
        :func:`virtuallab.store.integrity.verification.damaged_parts`.

    Raises
    ------
    StoreError
        If there is none at this path.
    MachineError
        If metadata, a coordinate or a table is damaged.
    """
    check_is_ours(path)
    mend(path)
    check_static(path, without)
    with reading(path), quiet():
        if without:
            return _of_nodes(path, without)
        tree = xr.open_datatree(path, engine="zarr", consolidated=is_gathered(path))
        loaded = {node.path: with_coords(node.to_dataset(inherit=False)) for node in tree.subtree}
        return xr.DataTree.from_dict(loaded, name=path.stem)


def _of_nodes(path: Path, without: Collection[str]) -> xr.DataTree:
    """Open the nodes with arrays one by one: a group cannot be, if one of its nodes is damaged."""
    below = tuple(f"{node}/" for node in without)
    opened = {"/": xr.Dataset(attrs=dict(root_metadata(path)["attributes"]))}
    for node in manifest_of(path).with_arrays():
        if not f"{node}/".startswith(below):
            opened[node] = with_coords(
                xr.open_zarr(str(path), group=node, consolidated=False, chunks=None, zarr_format=3)
            )
    return xr.DataTree.from_dict(opened, name=path.stem)


def with_coords(dataset: xr.Dataset) -> xr.Dataset:
    """Load every word and the coordinates that all subjects share; leave other numbers on disk.

    Coordinates that each subject has its own of (its units, its stimuli) lie on disk by subject:
    there are as many files of them as there are subjects.

    Words become Python strings: much that users reach for (pandas, seaborn, ``astype(str)``) does
    not know numpy's own variable-length strings yet.
    """
    words = {
        name: variable.load().astype(object)
        for name, variable in dataset.variables.items()
        if variable.dtype.kind == "T"
    }
    own = named_on_values(dataset)
    coords = {
        name: words[name] if name in words else c.variable if name in own else c.variable.load()
        for name, c in dataset.coords.items()
    }
    values = {name: variable for name, variable in words.items() if name not in dataset.coords}
    return dataset.assign_coords(coords).assign(values)
