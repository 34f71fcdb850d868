"""One writer at a time: a lock on a store, held by a process.

The lock is the kernel's (``flock``), on a file in the records: it ends with the process, however
that ends. Where a network disk has no such lock, a file that only one process can make takes its
place; it says who made it, and one left by a process of this machine that is gone is taken over.
Threads of one process share the lock, and a command inside another has it already.
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
from virtuallab.text import printable

LOCK_FILE = ".lock"
_STAND_IN = ".lock.held"
_MISSING = {errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL}


class InUse(StoreError):
    """Another process is writing into the store."""


@dataclass
class _Held:
    process: int
    file: TextIOWrapper
    stand_in: Path | None
    users: int = 1


_held: dict[Path, _Held] = {}
_guard = threading.Lock()


@contextmanager
def locked(store: Path, records: Path, *, alone: bool = False) -> Iterator[bool]:
    """Hold the lock of a store; no other process may write into it meanwhile.

    Parameters
    ----------
    store : Path
        For the message.
    records : Path
        Its records folder, which exists.
    alone : bool
        Do not share it with other threads of this process.

    Yields
    ------
    bool
        Whether it was free: False within a command of this process that holds it.

    Raises
    ------
    InUse
        At once, if another process holds it; the message says which.
    OSError
        If the folder may not be written.
    """
    key = records.resolve()
    with _guard:
        held = _held.get(key)
        # A process that was forked off has the memory of the other, but not its lock.
        is_ours = held is not None and held.process == os.getpid()
        if is_ours and alone:
            raise InUse(f"{store} is in use by another thread of this process.")
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
                raise InUse(_sentence(store, _read(path))) from None
        except OSError as error:
            file.close()
            if error.errno not in _MISSING:
                raise
            return _Held(os.getpid(), file, _stand_in(store, records))
        # Between opening and locking, whoever had it may have removed the file.
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


def _stand_in(store: Path, records: Path) -> Path:
    path = records / _STAND_IN
    for _ in range(2):
        try:
            handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666)
        except FileExistsError:
            holder = _read(path)
            if not _is_gone(holder):
                raise InUse(
                    f"{_sentence(store, holder)} This disk has no locks that end with a process: "
                    f"if that one has ended, remove {path}."
                ) from None
            path.unlink(missing_ok=True)
            continue
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(json.dumps(_holder()))
        return path
    raise InUse(_sentence(store, _read(path)))


def _release(held: _Held) -> None:
    if held.stand_in is not None:
        held.stand_in.unlink(missing_ok=True)
    if not held.file.closed:
        with held.file, suppress(OSError):
            held.file.truncate(0)


def _holder() -> dict[str, Any]:
    words = [Path(sys.argv[0]).name, *sys.argv[1:]]
    return {
        "pid": os.getpid(),
        "host": socket.gethostname(),
        "command": shlex.join(words),
        "since": time.strftime("%Y-%m-%d %H:%M:%S"),
    }


def _is_gone(holder: dict[str, Any]) -> bool:
    """Whether a process is known to have ended: only of this machine can that be known."""
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
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _sentence(store: Path, holder: dict[str, Any]) -> str:
    who = "another process"
    if holder:
        said = {key: printable(str(value)) for key, value in holder.items()}
        who = (
            f"`{said.get('command')}` (process {said.get('pid')} on {said.get('host')}, since "
            f"{said.get('since')})"
        )
    return (
        f"{store} is in use: {who} is writing into it. Wait for it to end, or stop it; status, "
        "info and report can be called meanwhile."
    )
