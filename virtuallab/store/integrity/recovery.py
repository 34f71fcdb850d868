"""Repair of a store after a kill or damage, while no other process writes into it."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

from virtuallab.errors import MachineError, VirtuallabError
from virtuallab.store.files.atomic_replace import is_interrupted, restore_interrupted
from virtuallab.store.files.atomic_write import write_json, writing
from virtuallab.store.files.lock import StoreInUse, locked
from virtuallab.store.integrity.commit_records import CommitRecords
from virtuallab.store.integrity.manifest import MANIFEST_FILE, Manifest
from virtuallab.store.integrity.ownership import check_ownership, repair_mark
from virtuallab.store.integrity.static_files import StaticFiles
from virtuallab.store.layout.location import records_folder
from virtuallab.store.layout.zarr_metadata import CONSOLIDATED, root_metadata

_ATTEMPTS = 20  # 50 ms apart, while a writer is replacing a node


def recover_interrupted(path: Path) -> None:
    """Move nodes that a kill left in staging to their places, once no process is writing."""
    records = CommitRecords(path)
    for _ in range(_ATTEMPTS):
        if not is_interrupted(records.staging(path)):
            return
        try:
            with locked(path, records.folder, alone=True):
                recover_locked(path)
        except StoreInUse:
            time.sleep(0.05)
        except (OSError, VirtuallabError):  # not writable: the rest can still be read
            return


def recover_locked(path: Path) -> None:
    """Move nodes that a kill left in staging to their places; for the holder of the lock."""
    records = CommitRecords(path)
    staging = records.staging(path)
    with writing(path):
        restore_interrupted(path, staging)
        shutil.rmtree(staging, ignore_errors=True)
        records.delete_leftovers()


def repair_root(store: Path) -> None:
    """Make a damaged manifest, mark or metadata file of the root anew, each from the others.

    A manifest made anew lists no node: each is listed when it is declared or written again.

    Raises
    ------
    StoreError, MachineError
        If the records are another store's; if too much is damaged.
    """
    folder = records_folder(store)
    if not (folder.is_dir() and store.is_dir()):
        return
    check_ownership(folder, store)
    with writing(store):
        try:
            manifest = Manifest.read(folder)
        except (OSError, ValueError, TypeError):
            Manifest(folder / MANIFEST_FILE, root=_sound_root(store)).write()
        else:
            if any(StaticFiles(store, manifest).root_damage()):
                manifest.root_digest = None
                manifest.write()
                write_json(store / "zarr.json", manifest.root)
        repair_mark(folder, store)


def _sound_root(store: Path) -> dict[str, object]:
    try:
        root = root_metadata(store)
        int(root["attributes"]["virtuallab_schema"])
    except (OSError, ValueError, TypeError, KeyError):
        raise MachineError(
            f"{store / 'zarr.json'} and {records_folder(store) / MANIFEST_FILE} are both damaged "
            "or missing, and each could be made from the other only. Copy the experiment again."
        ) from None
    root.pop(CONSOLIDATED, None)
    return root
