"""Connections to a Dask cluster: one of this machine, or one that is running."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

from rich.console import Console

from virtuallab.console import say
from virtuallab.errors import MachineError, UserError
from virtuallab.lab.services.cluster.pool import ClusterPool
from virtuallab.lab.services.cluster.versions import check_versions

_SECONDS = 5  # in which a running scheduler must answer
_SECONDS_HERE = 10  # in which processes of this machine must answer or end


@contextmanager
def local_pool(workers: int) -> Iterator[ClusterPool]:
    """Start a cluster of processes of this machine, and stop it after the block.

    Parameters
    ----------
    workers : int
        Processes.

    Raises
    ------
    MachineError
        If they cannot be started.
    """
    from distributed import LocalCluster

    with _quiet():
        try:
            cluster = LocalCluster(
                n_workers=workers,
                threads_per_worker=1,
                processes=True,
                dashboard_address=None,
                # Dask's page of metrics cannot be left out; its usual port may be taken.
                scheduler_kwargs={"dashboard_address": "127.0.0.1:0"},
                silence_logs=logging.CRITICAL,
                preload=["virtuallab.lab.services.cluster.interrupts"],
                memory_limit=0,  # as without a cluster: no process is ended for its memory
            )
        except (OSError, RuntimeError) as error:
            raise MachineError(
                f"no cluster could be started on this machine ({str(error).rstrip('.')}). A script "
                "that is run as a program must call virtuallab below `if __name__ == '__main__':`."
            ) from None
        try:
            with _connected(cluster, "this machine", _SECONDS_HERE) as client:
                yield ClusterPool(client, "this machine")
        finally:
            with suppress(Exception):
                cluster.close(timeout=_SECONDS_HERE)


@contextmanager
def remote_pool(address: str, console: Console, device: str = "cpu") -> Iterator[ClusterPool]:
    """Connect to the scheduler of a running cluster, which goes on running after the block.

    Parameters
    ----------
    address : str
        ``tcp://HOST:PORT``.
    console : rich.console.Console
        Says so if there is no worker yet.
    device : str
        Where workers train, ``"cpu"`` or ``"cuda"``.

    Raises
    ------
    UserError
        If no scheduler answers, or a worker has other versions or no such device.
    """
    with _quiet(), _connected(address, address, _SECONDS) as client:
        check_versions(client, address)
        pool = ClusterPool(client, address)
        pool.check_device(device)
        if not client.nthreads():
            say(console, f"The cluster at {address} has no workers yet; waiting for the first")
        yield pool


@contextmanager
def _connected(cluster: Any, address: str, seconds: float | int) -> Iterator[Any]:
    from distributed import Client

    try:
        if cluster == address:
            _greet(address, seconds)
        client = Client(cluster, timeout=seconds, set_as_default=False)
    except (OSError, RuntimeError, ValueError, MemoryError) as error:
        # The words of another server are read as the length of a message that no memory holds.
        is_other = isinstance(error, MemoryError)
        found = "something else does" if is_other else type(error).__name__
        raise UserError(
            f"no Dask scheduler answers at {address} ({found}). Start it with "
            "`dask scheduler`, which prints its address, or give another one to --scheduler."
        ) from None
    try:
        yield client
    finally:
        with suppress(Exception):
            client.close(timeout=_SECONDS_HERE)


def _greet(address: str, seconds: float | int) -> None:
    """Connect to a scheduler and leave it: a client that fails to connect cannot be closed."""
    from distributed.comm import connect
    from distributed.utils import LoopRunner, sync

    async def greet() -> None:
        comm = await connect(address, timeout=seconds)
        await comm.close()

    runner = LoopRunner()
    runner.start()
    try:
        sync(runner.loop, greet)
    finally:
        runner.stop()


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep Dask from printing: what is lost is said by an error of ours."""
    import dask
    from distributed.utils import silence_logging_cmgr

    with ExitStack() as stack:
        stack.enter_context(silence_logging_cmgr(logging.CRITICAL))
        # States of networks are large, and are needed by one task.
        settings = {"distributed.admin.large-graph-warning-threshold": "1 TiB"}
        stack.enter_context(dask.config.set(settings))
        yield
