"""Functions that run inside a worker of a cluster.

A worker neither reads nor writes the store: what it needs comes with the task, and what it computes
is returned. Both are pickled here and not by Dask, so that arrays come back as they were.
"""

from __future__ import annotations

import pickle
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

from virtuallab import plugins
from virtuallab.errors import UserError
from virtuallab.installed import in_a_line, pass_over_malformed
from virtuallab.lab.services.allocator import keep_freed_memory
from virtuallab.lab.services.cluster.versions import Versions, difference, own_versions
from virtuallab.lab.services.workers import Stop, Stopped

_loading = threading.Lock()  # tasks of one worker may be threads of one process


@dataclass(frozen=True)
class WorkerRequirements:
    """Versions and plug-ins that a worker must have before it computes.

    Parameters
    ----------
    versions : mapping from package to version
        Those of the process that writes.
    plugins : tuple
        As :func:`virtuallab.plugins.shipped` returns them.
    """

    versions: Versions
    plugins: tuple[plugins.Shipped, ...]


def pickled(what: object) -> bytes:
    """Pickle an object, also one of a class that a notebook or a script defines."""
    import cloudpickle

    data: bytes = cloudpickle.dumps(what, protocol=pickle.HIGHEST_PROTOCOL)
    return data


def compute_piece(setting: bytes, task: bytes, threads: int) -> bytes:
    """Compute a piece of work and return its results.

    Parameters
    ----------
    setting : bytes
        Pickled :class:`WorkerRequirements`.
    task : bytes
        Pickled function of a :class:`~virtuallab.lab.services.workers.Piece`, and its inputs.
    threads : int
        Torch threads. They decide how sums are rounded.

    Returns
    -------
    bytes
        Pickled list of the results.

    Raises
    ------
    UserError
        If this worker has other versions, or lacks a plug-in.
    Stopped
        If the task was cancelled.
    """
    compute, inputs = _unpickled(setting, task)
    # In the thread of the task: the setting belongs to it.
    torch.set_num_threads(threads)
    results: list[Any] = []
    compute(inputs, results.append, TaskStop())
    return pickled(results)


def call(setting: bytes, task: bytes) -> bytes:
    """Call a pickled function without arguments, and return its pickled result.

    Parameters, errors as for :func:`compute_piece`.
    """
    function: Callable[[], Any] = _unpickled(setting, task)
    torch.set_num_threads(1)
    return pickled(function())


def _unpickled(needed: bytes, task: bytes) -> Any:
    """Prepare this worker, and return a task.

    Raises
    ------
    UserError
        With the address of this worker.
    """
    from distributed import get_worker

    address = get_worker().address
    setting: WorkerRequirements = pickle.loads(needed)
    if found := difference(own_versions(), setting.versions):
        raise UserError(f"worker {address} has other versions than this process: {found}.")
    keep_freed_memory()
    with _loading:
        pass_over_malformed(warn=False)
        try:
            plugins.load_shipped(setting.plugins)
        except UserError as error:
            raise UserError(f"worker {address}: {error}") from None
        try:
            return pickle.loads(task)
        except ImportError as error:
            raise UserError(
                f"worker {address} lacks a package: {in_a_line(error)}. Install on the workers "
                "what is installed here."
            ) from None


class TaskStop(Stop):
    """Request to a task that it should end: its client cancelled it, or is gone."""

    def __init__(self) -> None:
        super().__init__()
        from distributed import get_worker
        from distributed.worker import thread_state

        self._worker, self._key = get_worker(), thread_state.key

    def check(self) -> None:
        """Leave the task if its client has cancelled it, or is gone.

        Raises
        ------
        Stopped
        """
        super().check()
        task = self._worker.state.tasks.get(self._key)
        if task is None or task.state == "cancelled":
            raise Stopped
