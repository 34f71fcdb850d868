"""A scheduler and workers of Dask as processes on this machine, which tests may kill."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType

ROOT = Path(__file__).parents[4]
SECONDS = 60.0
_WORKER = {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}


class Cluster:
    """A scheduler and its workers, each of one thread, on ports that are free.

    Parameters
    ----------
    folder : Path
        For the scheduler file and what the processes print.
    workers : int
    """

    def __init__(self, folder: Path, workers: int = 2) -> None:
        self.folder, self._count = folder, workers
        self.file = folder / "scheduler.json"
        self.workers: list[subprocess.Popen[bytes]] = []
        self._running = ExitStack()

    @property
    def address(self) -> str:
        address: str = json.loads(self.file.read_text())["address"]
        return address

    def start(self) -> None:
        """Start a scheduler, on the port of an earlier one, and workers."""
        port = self.address.rpartition(":")[2] if self.file.exists() else "0"
        self.file.unlink(missing_ok=True)
        arguments = ["--host", "127.0.0.1", "--port", port, "--no-dashboard"]
        self.scheduler = self._started(
            "scheduler", [*arguments, "--scheduler-file", str(self.file)], {"PYTHONPATH": ""}
        )
        limit = time.monotonic() + SECONDS
        while not self._is_written():
            assert self.scheduler.poll() is None, (self.folder / "scheduler.log").read_text()
            assert time.monotonic() < limit
            time.sleep(0.05)
        self.workers = [self.start_worker(str(n)) for n in range(self._count)]

    def start_worker(
        self, name: str, environment: Mapping[str, str] | None = None
    ) -> subprocess.Popen[bytes]:
        """Start one more worker; no nanny starts it again when it dies."""
        arguments = [self.address, "--nthreads", "1", "--no-nanny", "--no-dashboard"]
        own = [*arguments, "--name", name, "--local-directory", str(self.folder)]
        return self._started("worker", own, {**_WORKER, **(environment or {})})

    def wait_for(self, workers: int) -> None:
        """Wait until so many workers have come."""
        from distributed import Client

        with Client(self.address, set_as_default=False) as client:
            client.wait_for_workers(workers, timeout=SECONDS)

    def _is_written(self) -> bool:
        try:
            return bool(self.address)
        except (OSError, ValueError):
            return False

    def _started(
        self, kind: str, arguments: list[str], environment: Mapping[str, str]
    ) -> subprocess.Popen[bytes]:
        log = self._running.enter_context((self.folder / f"{kind}.log").open("ab"))
        process = subprocess.Popen(
            [sys.executable, "-m", f"distributed.cli.dask_{kind}", *arguments],
            env={**os.environ, "DASK_LOGGING__DISTRIBUTED": "error", **environment},
            stdout=log,
            stderr=log,
            cwd=self.folder,
        )
        self._running.callback(_end, process)
        return process

    def __enter__(self) -> Cluster:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._running.close()


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGKILL)
    process.wait()
