"""Resources of this machine, and their use by an experiment: cores, time, memory, disk."""

from __future__ import annotations

import os
import resource
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

_UNKNOWN = 64 * 10**9  # bytes, if the system does not report its memory
_CGROUPS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")


def peak_memory() -> int:
    """Return the largest resident memory of this process and its worker processes, in bytes.

    Peaks need not coincide, so their sum is an upper bound.
    """
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    own = peak if sys.platform == "darwin" else peak * 1024  # Linux counts in KiB
    return own + sum(_peak_of(child) for child in _children())


def _children() -> Iterator[int]:
    """Running processes that this one has started; none if the system does not list them."""
    for listed in Path("/proc/self/task").glob("*/children"):
        with suppress(OSError):
            yield from map(int, listed.read_text().split())


def _peak_of(process: int) -> int:
    with suppress(OSError):
        for line in Path(f"/proc/{process}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return 0


def stored(path: Path) -> int:
    """Size of every file below a folder, in bytes."""
    return sum(file.stat().st_size for file in path.rglob("*") if file.is_file())


def megabytes(count: float | int) -> str:
    """Return a size as text.

    >>> megabytes(1_234_000_000), megabytes(56_000)
    ('1.23 GB', '0.06 MB')
    """
    if count >= 1e9:
        return f"{count / 1e9:.2f} GB"
    return f"{count / 1e6:.{0 if count > 1e7 else 2}f} MB"


def duration(seconds: float | int) -> str:
    """Return a time as text.

    >>> duration(42), duration(150), duration(7500)
    ('42 s', '2 min 30 s', '2 h 5 min')
    """
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def spent(since: float, store: Path, memory: int = 0) -> str:
    """One line: time, peak memory, the size of the store.

    Parameters
    ----------
    since : float
        Begin, of ``time.monotonic``.
    store : Path
    memory : int
        :func:`peak_memory` before worker processes ended, in bytes.
    """
    peak = max(memory, peak_memory())
    return (
        f"{duration(time.monotonic() - since)}, peak memory {megabytes(peak)}, "
        f"{store} holds {megabytes(stored(store))}"
    )


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def total_memory() -> int:
    """Memory that this process may use at most, in bytes: the machine's, or its container's."""
    limits = [_UNKNOWN]
    with suppress(OSError, ValueError, AttributeError):
        limits = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")]
    for name in _CGROUPS:
        with suppress(OSError, ValueError):
            limits.append(int(Path(name).read_text(encoding="ascii")))
    return min(limits)


def free_disk(folder: Path) -> int:
    """Bytes that are free where a folder is, or would be made."""
    for existing in (folder, *folder.absolute().parents):
        with suppress(OSError):
            return shutil.disk_usage(existing).free
    return 0
