"""Interruptions of the workers of a local cluster, which preload this module.

A terminal sends Ctrl-C to every process. The process that writes stops the workers itself; a worker
that was interrupted, too, would print a traceback.
"""

from __future__ import annotations

import signal


def dask_setup(worker: object) -> None:
    """Ignore interruptions; Dask calls it when a worker starts.

    Parameters
    ----------
    worker : distributed.Worker
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
