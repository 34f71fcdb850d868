"""Workers of a cluster that was started on this machine."""

from __future__ import annotations

import signal
import threading

from virtuallab.lab.services.cluster.connection import local_pool
from virtuallab.lab.services.resources import peak_memory


def test_workers_leave_an_interruption_to_the_process_that_started_them() -> None:
    with local_pool(1) as pool:
        # A lambda is sent to the worker by value: it cannot import the tests.
        future = pool.submit(lambda: signal.getsignal(signal.SIGINT) == signal.SIG_IGN)
        done = threading.Event()
        future.add_done_callback(lambda _: done.set())
        assert done.wait(60)
        assert pool.result(future) is True


def test_peak_memory_counts_the_workers_while_they_are_there() -> None:
    alone = peak_memory()
    with local_pool(1):
        together = peak_memory()
    assert together > alone + 20e6
    assert peak_memory() < together
