"""Opening of an experiment with xarray: coordinates are loaded, values are read when needed."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from difflib import get_close_matches
from pathlib import Path

import xarray as xr

from virtuallab.errors import StoreError
from virtuallab.store.integrity.damage import raise_if_damaged
from virtuallab.store.integrity.ownership import MARK_FILE, check_ownership
from virtuallab.store.integrity.recovery import recover_interrupted
from virtuallab.store.integrity.static_files import StaticFiles
from virtuallab.store.integrity.verification import check_static, read_manifest, reading
from virtuallab.store.layout.arrays import coords_by_subject, replace_variables
from virtuallab.store.layout.location import check_location, records_folder
from virtuallab.store.layout.zarr_metadata import is_consolidated, quiet_zarr, root_metadata

SCHEMA_VERSION = 1
_MOST_LISTED = 6  # experiments in a message


def check_experiment(path: Path) -> None:
    """Raise an error unless a path is an experiment that this version can read.

    Raises
    ------
    StoreError, MachineError
        If it is no experiment; if the root's metadata or the manifest is damaged.
    """
    check_location(path)
    if path.is_symlink() and not path.exists():
        raise StoreError(f"{path} is a link to {path.readlink()}, where nothing is.")
    if not path.exists():
        folders = sorted(path.parent.glob("*.zarr")) if path.parent.is_dir() else []
        there = [folder.name for folder in folders if _is_experiment(folder)]
        known = f" In {path.parent}: {_listed(path.name, there)}." if there else ""
        records = records_folder(path)
        if (records / MARK_FILE).is_file():
            known = f" Its records are there, {records}: it was moved or removed.{known}"
        raise StoreError(f"{path}: there is no experiment.{known} Make one with virtuallab run.")
    if not path.is_dir():
        raise StoreError(f"{path} is a file; an experiment is a folder, runs/NAME.zarr.")
    if records_folder(path).is_dir():
        check_ownership(records_folder(path), path)
        raise_if_damaged(StaticFiles(path, read_manifest(path)).root_damage(), path)
    version = _schema_version(path)
    if version is None:
        raise StoreError(f"{path} is not an experiment of virtuallab.")
    if version > SCHEMA_VERSION:
        raise StoreError(
            f"{path} was made by a newer virtuallab (schema {version}, this one reads "
            f"{SCHEMA_VERSION}). Update virtuallab to open it."
        )


def _listed(name: str, there: Sequence[str]) -> str:
    """List experiments; of many, those with the names nearest to this one."""
    if len(there) <= _MOST_LISTED:
        return ", ".join(there)
    near = get_close_matches(name, there, n=_MOST_LISTED, cutoff=0)
    return f"{', '.join(near)} and {len(there) - len(near)} others"


def _schema_version(path: Path) -> int | None:
    """Return the schema version that a store's root names; None if it names none."""
    try:
        return int(root_metadata(path)["attributes"]["virtuallab_schema"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _is_experiment(path: Path) -> bool:
    """Return whether a folder is an experiment, damaged or not; comparisons are zarr as well."""
    return (records_folder(path) / MARK_FILE).is_file() or _schema_version(path) is not None


def open_tree(path: Path, without: Collection[str] = ()) -> xr.DataTree:
    """Open an experiment with all its coordinates loaded, and its values left on disk.

    Metadata, coordinates and tables are compared with their digests if ``NAME.records`` is beside
    it; values of subjects are not.

    Parameters
    ----------
    path : Path
    without : collection of str
        Nodes that are left out, with all below them, and not compared: see
        :func:`virtuallab.store.integrity.verification.damaged_parts`.

    Returns
    -------
    xr.DataTree
        Nodes of the store; coordinates in memory, values on disk.

    Raises
    ------
    StoreError, MachineError
        If there is no experiment; if metadata, a coordinate or a table is damaged.
    """
    check_experiment(path)
    recover_interrupted(path)
    check_static(path, without)
    with reading(path), quiet_zarr():
        if without:
            # One by one: a group cannot be opened if one of its nodes is damaged.
            below = tuple(f"{node}/" for node in without)
            opened = {"/": xr.Dataset(attrs=dict(root_metadata(path)["attributes"]))}
            for node in read_manifest(path).with_arrays():
                if not f"{node}/".startswith(below):
                    opened[node] = open_node(path, node)
        else:
            tree = xr.open_datatree(path, engine="zarr", consolidated=is_consolidated(path))
            opened = {n.path: with_coords(n.to_dataset(inherit=False)) for n in tree.subtree}
        return xr.DataTree.from_dict(opened, name=path.stem)


def open_node(path: Path, node: str) -> xr.Dataset:
    """Open one node of an experiment as :func:`with_coords` returns it; nothing is compared."""
    with quiet_zarr():
        return with_coords(
            xr.open_zarr(str(path), group=node, consolidated=False, chunks=None, zarr_format=3)
        )


def with_coords(dataset: xr.Dataset) -> xr.Dataset:
    """Return a dataset with text and shared coordinates loaded, and other numbers on disk.

    Coordinates that differ between subjects (units, stimuli) are in one file for each subject and
    are not loaded. Text becomes Python strings, because pandas, seaborn and ``astype(str)`` do not
    support numpy's variable-length strings yet.
    """
    shared = dataset.coords.keys() - coords_by_subject(dataset)
    loaded = {
        name: variable.load().astype(object) if variable.dtype.kind == "T" else variable.load()
        for name, variable in dataset.variables.items()
        if variable.dtype.kind == "T" or name in shared
    }
    return replace_variables(dataset, loaded)
