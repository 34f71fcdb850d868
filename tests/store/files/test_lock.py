from __future__ import annotations

import errno
import fcntl
import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from virtuallab.store.files.lock import StoreInUse, locked

HOLD = """
import sys
from pathlib import Path
from virtuallab.store.files.lock import locked
sys.argv = ["/usr/bin/virtuallab", "probe", "lab.zarr", "--set", "a=\x1b[31m"]
with locked(Path("lab.zarr"), Path(PLACE)):
    print("held", flush=True)
    sys.stdin.read()
"""


@contextmanager
def held_elsewhere(folder: Path) -> Iterator[subprocess.Popen[str]]:
    worker = subprocess.Popen(
        [sys.executable, "-c", HOLD.replace("PLACE", repr(str(folder)))],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert worker.stdout is not None
    assert worker.stdout.readline() == "held\n"
    try:
        yield worker
    finally:
        worker.kill()
        worker.communicate()


def test_the_second_process_is_refused_at_once_and_told_by_whom(tmp_path: Path) -> None:
    with held_elsewhere(tmp_path) as worker:
        said = (
            f"lab.zarr is in use: `virtuallab probe lab.zarr --set 'a=\\x1b[31m'` "
            f"(process {worker.pid} on {socket.gethostname()}, since "
        )
        with pytest.raises(StoreInUse, match=re.escape(said)), locked(Path("lab.zarr"), tmp_path):
            pass
        worker.send_signal(signal.SIGKILL)
        worker.wait()
        with locked(Path("lab.zarr"), tmp_path) as is_first:  # the kernel let it go
            assert is_first
    assert (tmp_path / ".lock").read_text() == ""


def test_threads_and_commands_within_commands_share_it(tmp_path: Path) -> None:
    def nested(_: int) -> bool:
        with locked(tmp_path, tmp_path) as is_first:
            return is_first

    with locked(tmp_path, tmp_path) as is_first, ThreadPoolExecutor(4) as pool:
        assert is_first
        assert not any(pool.map(nested, range(20)))
        with pytest.raises(StoreInUse), locked(tmp_path, tmp_path, alone=True):
            pass
        assert json.loads((tmp_path / ".lock").read_text())["pid"] == os.getpid()
    with locked(tmp_path, tmp_path, alone=True) as is_first:
        assert is_first


@pytest.fixture
def no_flock(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", missing)


@pytest.mark.usefixtures("no_flock")
@pytest.mark.parametrize("gone", [True, False])
def test_a_disk_without_locks_has_a_file_in_their_place(tmp_path: Path, gone: bool) -> None:
    file = tmp_path / ".lock.held"
    with locked(tmp_path, tmp_path):
        assert json.loads(file.read_text())["pid"] == os.getpid()
    assert not file.exists()
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    pid = ended.pid if gone else os.getppid()
    file.write_text(json.dumps({"pid": pid, "host": socket.gethostname(), "command": "x"}))
    if gone:
        with locked(tmp_path, tmp_path):
            pass
        return
    words = r"has no locks .* remove .*\.lock\.held"
    with pytest.raises(StoreInUse, match=words), locked(tmp_path, tmp_path):
        pass
    assert file.exists()
