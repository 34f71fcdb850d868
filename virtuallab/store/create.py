"""Creation of an empty store, completely or not at all."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import xarray as xr
import zarr

from virtuallab.errors import StoreError
from virtuallab.store.files.atomic_write import writing
from virtuallab.store.integrity.commit_records import CommitRecords
from virtuallab.store.integrity.manifest import MANIFEST_FILE, Manifest
from virtuallab.store.integrity.ownership import check_unclaimed, write_mark
from virtuallab.store.layout.location import check_location, check_suffix
from virtuallab.store.layout.zarr_metadata import root_metadata
from virtuallab.store.node_reader import NodeReader
from virtuallab.store.node_writer import NodeWriter
from virtuallab.store.open import SCHEMA_VERSION
from virtuallab.store.store import Store


def create_store(
    path: Path, *, subjects: xr.Dataset, provenance: Mapping[str, str], plan: Mapping[str, Any]
) -> Store:
    """Make an empty store.

    Parameters
    ----------
    path : Path
        ``NAME.zarr``; nothing may exist there.
    subjects : xr.Dataset
        The table of subjects, dims (subject).
    provenance : mapping from str to str
        Attributes of the root, as of :func:`virtuallab.store.provenance.provenance`.
    plan : mapping
        Settings that decide the bytes of the results, as plain data.

    Returns
    -------
    Store

    Raises
    ------
    StoreError, MachineError
        If the path exists or cannot be that of an experiment, or its records belong to something
        else; if the disk fails.
    """
    check_location(path)
    check_suffix(path)
    refuse_existing(path)
    records = CommitRecords(path)
    check_unclaimed(records.folder, path)
    attributes = {
        "virtuallab_schema": SCHEMA_VERSION,
        **provenance,
        "plan": json.dumps(plan, sort_keys=True),
    }
    with writing(path.parent):
        records.folder.mkdir(parents=True, exist_ok=True)
        write_mark(records.folder, attributes)
        staging = records.staging(path.parent)
        shutil.rmtree(staging, ignore_errors=True)
        draft = staging / path.name
        draft.parent.mkdir(parents=True)
        zarr.create_group(str(draft), attributes=attributes, zarr_format=3)
        manifest = Manifest(records.folder / MANIFEST_FILE, root=root_metadata(draft))
        manifest.write()
        nodes = NodeWriter(NodeReader(draft, manifest), staging / "nodes")
        nodes.write_table("subjects", subjects)
        refuse_existing(path)
        draft.rename(path)
        shutil.rmtree(staging)
    return Store(path)


def refuse_existing(path: Path) -> None:
    """Raise a StoreError if anything lies at a path."""
    if os.path.lexists(path):
        raise StoreError(f"{path} exists already. Choose another name.")
