"""Independent pieces of work, the pool of workers that computes them, and threads as workers.

Threads, not processes: a cohort spends its time inside torch, which releases the interpreter, so
two cohorts of one thread each use two cores without a second copy of torch and of the images.
Processes of a cluster are :mod:`virtuallab.lab.services.cluster`.
"""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

import torch

from virtuallab.errors import Interrupted, UserError
from virtuallab.installed import begin_process
from virtuallab.lab.services.allocator import keep_freed_memory
from virtuallab.lab.services.devices import device_name

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


def find_device(name: str, *, here: bool = True) -> str:
    """Return the device on which subjects are trained, ``"cpu"`` or ``"cuda"``.

    Parameters
    ----------
    name : {"cpu", "cuda", "auto"}
        ``"auto"`` is ``"cuda"`` if torch finds such a device, otherwise ``"cpu"``.
    here : bool
        False if other machines train, so that what this one has does not matter.

    Raises
    ------
    UserError
        If no device has this name, or this machine has none; for ``"auto"`` on other machines.
    """
    device_name(name)
    if not here and name == "auto":
        raise UserError(
            "device 'auto' looks for a GPU of this machine, and a running cluster computes on "
            "others. Give 'cpu' or 'cuda'."
        )
    if name == "cpu" or not here:
        return name
    if torch.cuda.is_available():
        return "cuda"
    if name == "auto":
        return "cpu"
    raise UserError("device 'cuda' was asked for, and torch finds none. Use 'cpu' or 'auto'.")


class Stopped(Exception):
    """Raised inside a piece of work to leave it early, because the run is being stopped."""


class Stop:
    """Request to running work that it should end."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def request(self) -> None:
        """Request that all work stops."""
        self._event.set()

    def check(self) -> None:
        """Leave the current piece of work if a stop was asked for.

        Raises
        ------
        Stopped
        """
        if self._event.is_set():
            raise Stopped


@contextmanager
def stoppable(*, goes_on: bool = True) -> Iterator[None]:
    """Turn the user's interruption into an error that says how to go on.

    Parameters
    ----------
    goes_on : bool
        Whether the same command, called again, goes on from what is done.

    Raises
    ------
    Interrupted
    """
    try:
        yield
    except KeyboardInterrupt:
        then = (
            "What is done is kept: the same command goes on from here."
            if goes_on
            else "Nothing stored is lost; the same command begins anew."
        )
        raise Interrupted(f"stopped. {then}") from None


@contextmanager
def torch_threads(count: int) -> Iterator[None]:
    """Run torch on ``count`` threads for each calling thread, and put the setting back after.

    From the first call on, the process keeps memory that is freed.
    """
    keep_freed_memory()
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def run_all(work: Iterable[Callable[[Stop], None]], workers: int) -> None:
    """Run every piece of work on ``workers`` threads; the first failure stops the others.

    Pieces under way end at their next :meth:`Stop.check`; those not begun never begin.

    Raises
    ------
    BaseException
        Whatever a piece of work raised first, or ``KeyboardInterrupt`` from the caller's thread.
    """
    stop = Stop()
    with ThreadPoolExecutor(max_workers=workers) as pool:
        futures = [pool.submit(piece, stop) for piece in work]
        try:
            finished, _ = wait(futures, return_when=FIRST_EXCEPTION)
            failed = [f for f in finished if f.exception() is not None]
            for future in failed:
                future.result()  # raises what the piece raised
        except BaseException:
            stop.request()
            for future in futures:
                future.cancel()
            raise


def on_threads(
    function: Callable[[_Item], _Result], items: Iterable[_Item], workers: int
) -> list[_Result]:
    """Results of a function for each item, in their order, computed on ``workers`` threads.

    Raises
    ------
    BaseException
        Whatever the function raised for the first item that failed.
    """
    with ThreadPoolExecutor(max_workers=workers) as pool:
        return list(pool.map(function, items))


Emit = Callable[[Any], None]


@dataclass(frozen=True)
class Piece:
    """A piece of work: a worker computes it, and this process receives its results.

    Parameters
    ----------
    compute : callable
        Called by the worker with the inputs, with a function that takes each result, and with a
        :class:`Stop`. It can be pickled, and neither reads nor writes the store.
    receive : callable
        Called in this process with each result, in the order in which they were emitted. It alone
        writes into the store.
    inputs : callable
        Called in this process; returns what the worker reads.
    device : str
        Where the worker computes, ``"cpu"`` or ``"cuda"``.
    """

    compute: Callable[[Iterable[Any], Emit, Stop], None]
    receive: Emit
    inputs: Callable[[], Iterable[Any]] = tuple
    device: str = "cpu"


class WorkerPool(ABC):
    """Workers that compute pieces of work."""

    reads_store: bool
    """Whether functions that joblib runs can read the files of this process."""

    @property
    @abstractmethod
    def workers(self) -> int:
        """Number of pieces that are computed at once."""

    @abstractmethod
    def run(self, pieces: Iterable[Piece], threads: int = 1) -> None:
        """Compute pieces on so many torch threads each; the first failure stops the others."""

    @abstractmethod
    def compute(self, piece: Piece, stop: Stop) -> None:
        """Compute one piece, from a thread of this process that waits until it is received."""

    @abstractmethod
    def joblib(self) -> AbstractContextManager[Any]:
        """Context in which the calls of :class:`joblib.Parallel` are computed by these workers."""

    @contextmanager
    def parallel(self, **options: Any) -> Iterator[Any]:
        """Open a :class:`joblib.Parallel` whose calls are computed by these workers.

        Parameters
        ----------
        **options
            Further options of it.
        """
        from joblib import Parallel

        options = {"n_jobs": self.workers, "initializer": begin_process, **options}
        with self.joblib(), Parallel(**options) as opened:
            yield opened


class LocalPool(WorkerPool):
    """Threads of this process, and for joblib, processes of this machine.

    A result is received in the thread that computed it, as soon as it is there, so that no more
    results are in memory than are being computed.

    Parameters
    ----------
    workers : int
        Pieces that are computed at once.
    """

    reads_store = True

    def __init__(self, workers: int) -> None:
        self._workers = workers

    @property
    def workers(self) -> int:
        """Number of pieces that are computed at once."""
        return self._workers

    def run(self, pieces: Iterable[Piece], threads: int = 1) -> None:
        """Compute pieces; see :func:`run_all`."""
        with torch_threads(threads):
            run_all([partial(self.compute, piece) for piece in pieces], self.workers)

    def compute(self, piece: Piece, stop: Stop) -> None:
        """Compute a piece in the calling thread."""
        piece.compute(piece.inputs(), piece.receive, stop)

    def joblib(self) -> AbstractContextManager[Any]:
        """Context that changes nothing: joblib starts processes."""
        return nullcontext()
