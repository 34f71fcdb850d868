"""Whose a records folder is: a mark that ties it to one store.

The mark follows from what decides the store's content, and lies in the records. So the bytes of a
store do not depend on when or where it was made, and a store and its records can be moved and
renamed together.
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
from virtuallab.store.files.digest import read_sealed, write_sealed
from virtuallab.store.files.lock import LOCK_FILE
from virtuallab.store.integrity import repair_command as remedy
from virtuallab.store.integrity.damage import Damage, what_is_wrong
from virtuallab.store.integrity.manifest import FILE as MANIFEST
from virtuallab.store.integrity.manifest import Manifest
from virtuallab.store.layout.zarr_metadata import root_metadata

MARK: Final = "store.json"
_KEY: Final = "virtuallab_records"
_FORMAT: Final = 1
# What may lie in records that hold nothing yet: left by a command killed while it made the store.
_BEGUN = re.compile(
    rf"\.lock(\.held)?|\.aside|({re.escape(MARK)}|{re.escape(MANIFEST)})(\.\d+\.\d+\.tmp)?"
)
_LITTER = re.compile(r"\._.*|\.DS_Store|Thumbs\.db|desktop\.ini", re.IGNORECASE)


def identity(attributes: Mapping[str, Any]) -> str:
    """Digest of what decides a store's content: the protocol and the plan in its root attributes.

    Parameters
    ----------
    attributes : mapping
        Attributes of the root of the store.
    """
    decisive = [attributes.get("protocol_sha256"), attributes.get("plan")]
    return hashlib.blake2b(json.dumps(decisive).encode(), digest_size=16).hexdigest()


def mark(records: Path, attributes: Mapping[str, Any]) -> None:
    """Write into a records folder which store it belongs to."""
    write_sealed(records / MARK, {_KEY: _FORMAT, "identity": identity(attributes)})


def mark_damage(records: Path, store: Path) -> Iterator[Damage]:
    """Yield the mark if it is missing or damaged."""
    if _mark_in(records) is None:
        file = records / MARK
        yield Damage(file, what_is_wrong(file), remedy.of_node(store, "", {}))


def mend_mark(records: Path, store: Path) -> None:
    """Write a missing or damaged mark anew; of records that :func:`check_own` accepts."""
    if _mark_in(records) is None:
        mark(records, root_metadata(store)["attributes"])


def check_free(records: Path, store: Path) -> None:
    """Refuse to make a store beside a records folder that belongs to something else.

    Nothing is removed: records are what makes a store of hours of training complete, and a folder
    of that name may be anybody's.

    Parameters
    ----------
    records : Path
        ``NAME.records``; it need not exist.
    store : Path
        ``NAME.zarr``, which does not exist.

    Raises
    ------
    StoreError
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
    if is_begun(records):
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


def check_own(records: Path, store: Path) -> None:
    """Refuse records that are not those of a store.

    The mark and the manifest both tell whose they are, so one of them may be damaged. So may the
    root's metadata: a store whose root is that of another experiment is refused, one whose root is
    no sound metadata at all is taken for damaged.

    Raises
    ------
    StoreError
        If they are missing, are another store's, or have no mark.
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
            f"{records} does not say that it belongs to {store.name}: {MARK} is missing in it. "
            "Put the experiment's own records there."
        )
    found = _sound_identity(store)
    if found not in owners if found is not None else len(owners) > 1:
        raise StoreError(
            f"{records} belongs to another experiment than {store}. Put this experiment's own "
            "records there; they were beside it where it was made."
        )


def _owners(records: Path) -> set[str]:
    """Identities of the stores that a records folder says it belongs to: one, unless damaged."""
    found = {_mark_in(records)}
    with suppress(OSError, ValueError, TypeError, KeyError):
        found.add(identity(Manifest.read(records).root["attributes"]))
    return {each for each in found if each is not None}


def _sound_identity(store: Path) -> str | None:
    """Identity of a store by its own root; None where that is damaged."""
    try:
        attributes = root_metadata(store)["attributes"]
        json.loads(attributes["plan"])
        resolved = attributes.get("protocol_resolved")
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return None
    if isinstance(resolved, str):  # the protocol itself tells whether its digest is sound
        expected = hashlib.sha256(resolved.encode()).hexdigest()
        if expected != attributes.get("protocol_sha256"):
            return None
    return identity(attributes)


def is_begun(records: Path) -> bool:
    """Whether a records folder holds nothing but what making a store begins with, or is empty."""
    names = {each.name for each in records.iterdir() if not is_litter(each.name)}
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


def is_litter(name: str) -> bool:
    """Whether a file is one that systems leave in every folder (``.DS_Store``, ``._x``)."""
    return _LITTER.fullmatch(name) is not None


def _mark_in(records: Path) -> str | None:
    """Return the identity in the mark; None if there is none of ours, or it is damaged."""
    file = records / MARK
    try:
        found = read_sealed(file)
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError, ValueError):
        return None
    except OSError as error:
        raise MachineError(f"{file} could not be read: {error.strerror}.") from error
    return str(found["identity"]) if _KEY in found else None
