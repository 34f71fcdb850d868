"""The mark in a records folder that ties it to one store.

The mark is a digest of what decides the store's content. So the bytes of a store do not depend on
when or where it was made, and a store and its records can be moved and renamed together.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from virtuallab.errors import MachineError, StoreError
from virtuallab.store.files.digest import digest, read_json_with_digest, write_json_with_digest
from virtuallab.store.files.lock import LOCK_FILE
from virtuallab.store.integrity.damage import Damage
from virtuallab.store.integrity.manifest import MANIFEST_FILE, Manifest
from virtuallab.store.integrity.repair_command import repair_command
from virtuallab.store.layout.location import is_system_file
from virtuallab.store.layout.zarr_metadata import root_metadata

MARK_FILE: Final = "store.json"
_KEY: Final = "virtuallab_records"
_FORMAT: Final = 1
# Files that a command may leave in the records folder if it is killed while it makes the store.
_BEGUN = re.compile(
    rf"\.lock(\.held)?|\.aside|({re.escape(MARK_FILE)}|{re.escape(MANIFEST_FILE)})(\.\d+\.\d+\.tmp)?"
)


def store_identity(attributes: Mapping[str, Any]) -> str:
    """Return the digest of protocol and plan, which decide a store's content."""
    decisive = [attributes.get("protocol_sha256"), attributes.get("plan")]
    return digest(json.dumps(decisive).encode())


def write_mark(records: Path, attributes: Mapping[str, Any]) -> None:
    """Write the mark that names the store of a records folder."""
    content = {_KEY: _FORMAT, "identity": store_identity(attributes)}
    write_json_with_digest(records / MARK_FILE, content)


def mark_damage(records: Path, store: Path) -> Iterator[Damage]:
    """Yield the mark if it is missing or damaged."""
    if _read_mark(records) is None:
        yield Damage.of(records / MARK_FILE, repair_command(store, "", {}))


def repair_mark(records: Path, store: Path) -> None:
    """Write a missing or damaged mark anew, in records that :func:`check_ownership` accepts."""
    if _read_mark(records) is None:
        write_mark(records, root_metadata(store)["attributes"])


def check_unclaimed(records: Path, store: Path) -> None:
    """Raise a StoreError if the records of a store to be made belong to something else.

    Nothing is removed: an experiment is complete only with its records, and the folder may contain
    unrelated files.
    """
    if records.is_symlink():
        raise StoreError(
            f"{records} is a link; records are kept there, and would be written through it. Remove "
            "it, or choose another store with --store."
        )
    if not records.exists():
        return
    if not records.is_dir():
        raise StoreError(
            f"{records} is a file; the records of {store.name} are kept in a folder of that name. "
            "Move it away, or choose another store with --store."
        )
    if is_only_begun(records):
        return
    if _owners(records):
        raise StoreError(
            f"{records} belongs to an experiment that is no longer at {store}: it was moved or "
            f"removed. Move it back beside its records to go on with it; if it is gone for good, "
            f"remove {records}. Or choose another store with --store."
        )
    raise StoreError(
        f"{records} is in the way: the records of {store.name} would be kept there, and it holds "
        "something else. It was left alone; move it away, or choose another store with --store."
    )


def check_ownership(records: Path, store: Path) -> None:
    """Raise a StoreError if records are missing, belong to another store, or name no owner.

    Mark and manifest both name the owner, so one of them may be damaged. A store whose root is that
    of another experiment is refused; a root without valid metadata counts as damaged.
    """
    if not records.is_dir():
        raise StoreError(
            f"{records} is missing. It belongs beside {store.name} and says which subjects are "
            "done: move both together. Without it the experiment can be looked at (report, info), "
            "but not continued."
        )
    owners = _owners(records)
    if not owners:
        raise StoreError(
            f"{records} does not say that it belongs to {store.name}: {MARK_FILE} is missing in "
            "it. Put the experiment's own records there."
        )
    found = _root_identity(store)
    if found not in owners if found is not None else len(owners) > 1:
        raise StoreError(
            f"{records} belongs to another experiment than {store}. Put this experiment's own "
            "records there; they were beside it where it was made."
        )


def _owners(records: Path) -> set[str]:
    """Return the identities that a records folder names as its store: one, unless damaged."""
    found = {_read_mark(records)}
    with suppress(OSError, ValueError, TypeError, KeyError):
        found.add(store_identity(Manifest.read(records).root["attributes"]))
    return {each for each in found if each is not None}


def _root_identity(store: Path) -> str | None:
    """Return the identity of a store by its own root; None if that is damaged."""
    try:
        attributes = root_metadata(store)["attributes"]
        json.loads(attributes["plan"])
        resolved = attributes.get("protocol_resolved")
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return None
    if isinstance(resolved, str):  # the protocol itself shows whether its digest is sound
        expected = hashlib.sha256(resolved.encode()).hexdigest()
        if expected != attributes.get("protocol_sha256"):
            return None
    return store_identity(attributes)


def is_only_begun(records: Path) -> bool:
    """Return whether a records folder is empty or holds only what making a store begins with."""
    names = {each.name for each in records.iterdir() if not is_system_file(each.name)}
    if not all(_BEGUN.fullmatch(name) for name in names):
        return False
    # Without a mark there is at most a lock, of a command killed before it wrote the mark.
    return bool(_owners(records)) or (".aside" not in names and _is_lock(records / LOCK_FILE))


def _is_lock(path: Path) -> bool:
    try:
        content = path.read_text(encoding="utf-8")
        return not content or "pid" in json.loads(content)
    except FileNotFoundError:
        return True
    except (OSError, ValueError, TypeError):
        return False


def _read_mark(records: Path) -> str | None:
    """Return the identity in the mark; None if there is no valid mark."""
    file = records / MARK_FILE
    try:
        found = read_json_with_digest(file)
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError, ValueError):
        return None
    except OSError as error:
        raise MachineError(f"{file} could not be read: {error.strerror}.") from error
    return str(found["identity"]) if _KEY in found else None
