"""Memory of a process and its children, by the accounts of Linux."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


def resident(pid: int) -> float:
    """Memory of a process with its children, in MB.

    Pages that several processes share are counted once, by the share of each process.
    """
    folder = Path(f"/proc/{pid}")
    try:
        text = (folder / "smaps_rollup").read_text(encoding="utf-8")
        children = (folder / "task" / str(pid) / "children").read_text(encoding="utf-8").split()
    except OSError:  # the process has ended
        return 0.0
    lines = [line for line in text.splitlines() if line.startswith("Pss:")]
    mine = int(lines[0].split()[1]) / 1024 if lines else 0.0
    return mine + sum(resident(int(child)) for child in children)


@dataclass
class Peak:
    """Largest memory that was seen, in MB."""

    megabytes: float = 0.0

    def note(self, megabytes: float) -> None:
        """Keep the larger one."""
        self.megabytes = max(self.megabytes, megabytes)


@contextmanager
def watched(pid: int | None = None, every: float = 0.2) -> Iterator[Peak]:
    """Observe the memory of a process (by default this one) and its children.

    Parameters
    ----------
    pid : int, optional
    every : float
        Seconds between two looks; a shorter peak may be missed.

    Yields
    ------
    Peak
        Which grows while the block runs.
    """
    peak, stop, watched_pid = Peak(), threading.Event(), pid or os.getpid()

    def watch() -> None:
        while True:
            peak.note(resident(watched_pid))
            if stop.wait(every):
                return

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield peak
    finally:
        stop.set()
        watcher.join()
        peak.note(resident(watched_pid))
