"""Memory and disk of this machine."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from pathlib import Path

_UNKNOWN = 64 * 10**9  # bytes, where the system does not tell
_CGROUPS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")


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
