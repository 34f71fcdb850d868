"""A lock on a store, held by one process at a time.

The lock is the kernel's (``flock``), on a file in the records folder: it is released when the
process ends, however it ends. On network disks without such locks a file created exclusively
replaces it. The file names its process; if that process ran on this machine and has ended, the lock
is taken over. Threads of one process share the lock, and so do nested commands.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import shlex
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from io import TextIOWrapper
from pathlib import Path
from typing import Any

from virtuallab.errors import StoreError
from virtuallab.store.files.digest import read_json
from virtuallab.text import printable

LOCK_FILE = ".lock"
_FALLBACK_FILE = ".lock.held"
_NO_LOCKS = {errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL}


class StoreInUse(StoreError):
    """Raised when another process is writing into the store."""


@dataclass
class _Held:
    process: int
    file: TextIOWrapper
    fallback: Path | None
    users: int = 1


_held: dict[Path, _Held] = {}
_guard = threading.Lock()


@contextmanager
def locked(store: Path, records: Path, *, alone: bool = False) -> Iterator[bool]:
    """Hold the lock of a store, so that no other process writes into it.

    Parameters
    ----------
    store : Path
        For the message.
    records : Path
        Its records folder, which exists.
    alone : bool
        True to refuse to share the lock with other threads of this process.

    Yields
    ------
    bool
        True if the lock was free, False inside a command of this process that holds it.

    Raises
    ------
    StoreInUse, OSError
        Immediately, if another process holds it, which is named; if the folder is not writable.
    """
    key = records.resolve()
    with _guard:
        held = _held.get(key)
        # A process that was forked off has the memory of the other, but not its lock.
        is_ours = held is not None and held.process == os.getpid()
        if is_ours and alone:
            raise StoreInUse(f"{store} is in use by another thread of this process.")
        if held is not None and is_ours:
            held.users += 1
        else:
            _held[key] = _acquire(store, key)
    try:
        yield not is_ours
    finally:
        with _guard:
            held = _held[key]
            held.users -= 1
            if not held.users:
                del _held[key]
                _release(held)


def _acquire(store: Path, records: Path) -> _Held:
    path = records / LOCK_FILE
    while True:
        file = path.open("a+", encoding="utf-8")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            with file:
                raise StoreInUse(_in_use_message(store, _read(path))) from None
        except OSError as error:
            file.close()
            if error.errno not in _NO_LOCKS:
                raise
            return _Held(os.getpid(), file, _acquire_fallback(store, records))
        # The previous holder may have removed the file between opening and locking.
        if _is_there(file, path):
            with suppress(OSError):  # on a full disk the lock holds all the same
                file.truncate(0)
                file.write(json.dumps(_holder()))
                file.flush()
            return _Held(os.getpid(), file, None)
        file.close()


def _is_there(file: TextIOWrapper, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False


def _acquire_fallback(store: Path, records: Path) -> Path:
    path = records / _FALLBACK_FILE
    for _ in range(2):
        try:
            handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666)
        except FileExistsError:
            holder = _read(path)
            if not _has_ended(holder):
                raise StoreInUse(
                    f"{_in_use_message(store, holder)} This disk has no locks that end with a "
                    f"process: if that one has ended, remove {path}."
                ) from None
            path.unlink(missing_ok=True)
            continue
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(json.dumps(_holder()))
        return path
    raise StoreInUse(_in_use_message(store, _read(path)))


def _release(held: _Held) -> None:
    if held.fallback is not None:
        held.fallback.unlink(missing_ok=True)
    if not held.file.closed:
        with held.file, suppress(OSError):
            held.file.truncate(0)


def _holder() -> dict[str, Any]:
    return {
        "pid": os.getpid(),
        "host": socket.gethostname(),
        "command": shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]]),
        "since": time.strftime("%Y-%m-%d %H:%M:%S"),
    }


def _has_ended(holder: dict[str, Any]) -> bool:
    """Return whether a process of this machine has ended; False for other machines."""
    if holder.get("host") != socket.gethostname() or not isinstance(holder.get("pid"), int):
        return False
    try:
        os.kill(holder["pid"], 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False
    return False


def _read(path: Path) -> dict[str, Any]:
    try:
        return read_json(path)
    except (OSError, ValueError):
        return {}


def _in_use_message(store: Path, holder: dict[str, Any]) -> str:
    who = "another process"
    if holder:
        safe = {key: printable(str(value)) for key, value in holder.items()}
        who = (
            f"`{safe.get('command')}` (process {safe.get('pid')} on {safe.get('host')}, since "
            f"{safe.get('since')})"
        )
    return (
        f"{store} is in use: {who} is writing into it. Wait for it to end, or stop it; status, "
        "info and report can be called meanwhile."
    )
