"""Backend of joblib that computes on the workers of a cluster."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from joblib.parallel import ParallelBackendBase, SequentialBackend

if TYPE_CHECKING:
    from virtuallab.lab.services.cluster.pool import ClusterPool


class ClusterBackend(ParallelBackendBase):  # type: ignore[misc]
    """Backend for :func:`joblib.parallel_config`.

    Parameters
    ----------
    pool : ClusterPool, optional
        None inside a worker, where nothing is submitted.
    """

    supports_retrieve_callback = True

    def __init__(self, pool: ClusterPool | None = None, **options: Any) -> None:
        super().__init__(**options)
        self._pool = pool
        self._under_way: WeakSet[Any] = WeakSet()

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle it without its connection."""
        return ClusterBackend, ()

    def effective_n_jobs(self, n_jobs: int) -> int:
        """Return the number of workers, whatever is asked for; with one, joblib submits nothing."""
        return 2 if self._pool is None else max(2, self._pool.workers)

    def submit(self, func: Callable[[], Any], callback: Callable[[Any], None] | None = None) -> Any:
        """Submit a batch of calls."""
        assert self._pool is not None
        future = self._pool.submit(func)
        self._under_way.add(future)
        if callback is not None:
            future.add_done_callback(callback)
        return future

    def retrieve_result_callback(self, out: Any) -> Any:
        """Return the result of a batch."""
        assert self._pool is not None
        found = self._pool.result(out)
        out.release()
        return found

    def abort_everything(self, ensure_ready: bool = True) -> None:
        """Cancel all batches."""
        if self._pool is not None:
            self._pool.cancel(self._under_way)

    def get_nested_backend(self) -> tuple[Any, int]:
        """Return the backend inside a worker: one call after another."""
        return SequentialBackend(nesting_level=(self.nesting_level or 0) + 1), 1
