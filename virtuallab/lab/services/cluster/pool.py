"""Pieces of work as tasks of a cluster, whose results this process receives one after another."""

from __future__ import annotations

import pickle
import queue
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import CancelledError
from contextlib import AbstractContextManager, contextmanager, suppress
from importlib import import_module
from typing import Any
from uuid import uuid4

from virtuallab import plugins
from virtuallab.errors import MachineError, UserError, VirtuallabError
from virtuallab.lab.services.cluster.versions import check_versions, own_versions
from virtuallab.lab.services.cluster.worker import WorkerRequirements, pickled
from virtuallab.lab.services.workers import Piece, Stop, Stopped, WorkerPool
from virtuallab.text import listed

_FEWEST = 8  # tasks under way at least: an adaptive cluster starts workers for those that wait
_SECONDS = 0.5  # between looks at the connection and at requests to stop
_WORKER = "virtuallab.lab.services.cluster.worker"
_GPU = "GPU"  # resource that workers with a graphics card advertise

Future = Any  # distributed.Future


class ClusterPool(WorkerPool):
    """Workers of a Dask cluster.

    Twice as many tasks as there are threads are under way at once, so that results that wait for
    this process do not fill the memory of the workers. A task whose worker dies is computed by
    another worker; the number of times is a setting of the scheduler
    (``distributed.scheduler.allowed-failures``).

    Parameters
    ----------
    client : distributed.Client
    address : str
        Of the scheduler, for messages.
    """

    reads_store = False

    def __init__(self, client: Any, address: str) -> None:
        self._client, self._address = client, address
        self._setting = WorkerRequirements(own_versions(), plugins.shipped())

    @property
    def workers(self) -> int:
        """Number of threads of all workers, at least 1."""
        with self._reaching():
            threads: int = sum(self._client.nthreads().values())
        return max(1, threads)

    def run(self, pieces: Iterable[Piece], threads: int = 1) -> None:
        """Compute pieces on the cluster; receive their results in the calling thread.

        Parameters
        ----------
        pieces : iterable of Piece
        threads : int
            Torch threads of each.

        Raises
        ------
        MachineError
            If the scheduler is lost, or the workers that compute a piece die.
        BaseException
            Whatever a piece raised first; the others are cancelled.
        """
        self._run(iter(pieces), threads, Stop())

    def compute(self, piece: Piece, stop: Stop) -> None:
        """Compute one piece on the cluster, and wait until it is received."""
        self._run(iter([piece]), 1, stop)

    def joblib(self) -> AbstractContextManager[Any]:
        """Context in which the calls of :class:`joblib.Parallel` are computed by the cluster."""
        from joblib import parallel_config

        from virtuallab.lab.services.cluster.joblib_backend import ClusterBackend

        context: AbstractContextManager[Any] = parallel_config(ClusterBackend(self))
        return context

    def submit(self, function: Callable[[], Any]) -> Future:
        """Submit a function without arguments; its result is that of :meth:`result`."""
        return self._submitted("call", pickled(function))

    def result(self, future: Future) -> Any:
        """Return what a finished task has computed.

        Raises
        ------
        MachineError
            If the scheduler is lost, or the workers that compute the task die.
        BaseException
            Whatever the task raised.
        """
        from distributed import KilledWorker

        if future.status == "error":
            with self._reaching():
                error = future.exception()
            if isinstance(error, KilledWorker):
                raise MachineError(
                    f"workers of the cluster at {self._address} died while they computed the same "
                    "task, perhaps of too little memory. What is stored is kept, and the same "
                    "command goes on from here."
                )
            if not isinstance(error, VirtuallabError | Stopped):
                with self._reaching():
                    check_versions(self._client, self._address)  # of workers that came later
            raise error
        if future.status != "finished":
            raise self._lost()
        with self._reaching():
            found: bytes = future.result()
        return pickle.loads(found)

    def cancel(self, futures: Iterable[Future]) -> None:
        """Cancel tasks, as far as the scheduler can be reached."""
        some = list(futures)
        with suppress(Exception):
            if some and self._client.status == "running":
                self._client.cancel(some, force=True)

    def _run(self, waiting: Iterable[Piece], threads: int, stop: Stop) -> None:
        under_way: dict[str, tuple[Future, Piece]] = {}
        finished: queue.SimpleQueue[Future] = queue.SimpleQueue()

        def begin(piece: Piece) -> None:
            task = pickled((piece.compute, list(piece.inputs())))
            needs = self._needs(piece.device)
            future = self._submitted("compute_piece", task, threads, resources=needs)
            under_way[future.key] = future, piece
            future.add_done_callback(finished.put)

        def fill() -> None:
            free = max(_FEWEST, 2 * self.workers) - len(under_way)
            for _, piece in zip(range(free), waiting, strict=False):
                begin(piece)

        try:
            fill()
            while under_way:
                stop.check()
                try:
                    future = finished.get(timeout=_SECONDS)
                except queue.Empty:
                    if self._client.status != "running":
                        raise self._lost() from None
                    continue
                _, piece = under_way.pop(future.key)
                try:
                    results = self.result(future)
                except Stopped:  # it was cancelled, but not from here: its worker was retired
                    begin(piece)
                    continue
                future.release()
                for result in results:
                    piece.receive(result)
                fill()
        except BaseException:
            self.cancel(future for future, _ in under_way.values())
            raise

    def _submitted(self, name: str, *given: Any, **options: Any) -> Future:
        """Submit a function of the module ``worker``."""
        key, setting = f"virtuallab-{name}-{uuid4().hex}", pickled(self._setting)
        with self._reaching():
            return self._client.submit(
                _in_worker(), name, setting, *given, key=key, pure=False, **options
            )

    def check_device(self, device: str) -> None:
        """Refuse workers that would be asked to train on a graphics card and have none.

        Workers that come later are found out with their first task.

        Parameters
        ----------
        device : str
            ``"cpu"`` or ``"cuda"``.

        Raises
        ------
        UserError
            With their addresses.
        """
        if device != "cuda":
            return
        trainers = self._with_card_resource() or self._resources()
        with self._reaching():
            # A lambda: see _in_worker.
            found = self._client.run(lambda: import_module("torch").cuda.is_available())
        without = [worker for worker in trainers if not found.get(worker, True)]
        if without:
            raise UserError(
                f"device 'cuda' was asked for, and torch finds none on {listed(without)} of the "
                f"cluster at {self._address}. Give --device cpu, or start the workers that have a "
                'card with --resources "GPU=1": others then do not train.'
            )

    def _needs(self, device: str) -> dict[str, int] | None:
        """Return the resources of a task: a graphics card, if workers advertise theirs."""
        return {_GPU: 1} if device == "cuda" and self._with_card_resource() else None

    def _with_card_resource(self) -> list[str]:
        return [worker for worker, resources in self._resources().items() if _GPU in resources]

    def _resources(self) -> dict[str, set[str]]:
        """Return the names of the resources of each worker, by its address."""
        with self._reaching():
            workers = self._client.scheduler_info(n_workers=-1)["workers"]
        return {address: {*each.get("resources", ())} for address, each in workers.items()}

    @contextmanager
    def _reaching(self) -> Iterator[None]:
        """Raise the error of a lost scheduler if it cannot be reached within the block."""
        try:
            yield
        except (OSError, CancelledError):
            raise self._lost() from None
        except Exception:
            if self._client.status == "running":
                raise
            raise self._lost() from None  # a client that is closed raises what it happens to

    def _lost(self) -> MachineError:
        return MachineError(
            f"the Dask scheduler at {self._address} was lost. What is stored is kept: start the "
            "scheduler and its workers again, and the same command goes on from here."
        )


def _in_worker() -> Callable[..., bytes]:
    """Return a function that calls one of the module ``worker`` by its name.

    A lambda is pickled by value: the scheduler, which unpickles every task, needs no virtuallab and
    does not import torch.
    """
    return lambda name, *given: getattr(import_module(_WORKER), name)(*given)
