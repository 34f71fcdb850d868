"""Threads for independent pieces of work, which stop cleanly.

Threads, not processes: a cohort spends its time inside torch, which releases the interpreter, so
two cohorts of one thread each use two cores without a second copy of torch and of the images.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from contextlib import contextmanager

import torch

from virtuallab.errors import Interrupted, UserError, suggest
from virtuallab.lab.services.allocator import keep_freed_memory

DEVICES = ("auto", "cpu", "cuda")


def find_device(name: str) -> str:
    """Return the device on which subjects are trained, ``"cpu"`` or ``"cuda"``.

    Parameters
    ----------
    name : {"cpu", "cuda", "auto"}
        ``"auto"`` is ``"cuda"`` if torch finds such a device, otherwise ``"cpu"``.

    Raises
    ------
    UserError
        If no device has this name, or this machine has none.
    """
    if name not in DEVICES:
        raise UserError(f"no device is called {name!r}. {suggest(name, DEVICES)}")
    if name == "cpu":
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
