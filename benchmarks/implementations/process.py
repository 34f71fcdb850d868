"""The benchmark's side of workers: processes that train and time themselves."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Sequence
from types import TracebackType
from typing import Any

from benchmarks.implementations.environments import ROOT, python_of
from benchmarks.implementations.implementation import KINDS


class WorkerProcess:
    """A worker of one kind, as a context manager that ends it.

    Parameters
    ----------
    kind : str
        One of :data:`~benchmarks.implementations.implementation.KINDS`.

    Raises
    ------
    NotInstallable
        If its environment cannot be made.
    """

    def __init__(self, kind: str) -> None:
        python = python_of(KINDS[kind].environment)
        command = [str(python), "-m", "benchmarks.implementations.worker", kind]
        paths = [str(ROOT), os.environ.get("PYTHONPATH", "")]
        environment = os.environ | {
            "OMP_NUM_THREADS": "1",
            "PYTHONPATH": os.pathsep.join(filter(None, paths)),
        }
        self.kind = kind
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )

    def __enter__(self) -> WorkerProcess:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            self._process.communicate()  # the end of its input ends it
        else:
            self._process.kill()
            self._process.wait()

    def send(self, request: str, *arguments: Any) -> None:
        """Send a request, a method of :class:`~benchmarks.implementations.worker.Worker`."""
        stdin = self._process.stdin
        assert stdin is not None
        stdin.write(json.dumps([request, *arguments]) + "\n")
        stdin.flush()

    def answer(self) -> dict[str, Any]:
        """Answer to the last request.

        Raises
        ------
        RuntimeError
            If the worker ended instead, for example for want of memory.
        """
        stdout = self._process.stdout
        assert stdout is not None
        line = stdout.readline()
        if not line:
            raise RuntimeError(f"The process of {self.kind!r} ended with {self._process.wait()}")
        found: dict[str, Any] = json.loads(line)
        return found

    def ask(self, request: str, *arguments: Any) -> dict[str, Any]:
        """Send a request and wait for its answer."""
        self.send(request, *arguments)
        return self.answer()


def ask_all(
    workers: Sequence[WorkerProcess], request: str, *arguments: Any
) -> list[dict[str, Any]]:
    """Send a request to several workers, which work at the same time."""
    for worker in workers:
        worker.send(request, *arguments)
    return [worker.answer() for worker in workers]
