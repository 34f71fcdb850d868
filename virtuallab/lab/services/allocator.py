"""Memory that the C library keeps from one training step for the next.

A step allocates and frees the same blocks of some hundred kilobytes each time. By default glibc
returns them to the system, which then clears every page anew: a thousand page faults a step.
"""

from __future__ import annotations

import ctypes
import sys
from contextlib import suppress
from functools import cache

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # M_TRIM_THRESHOLD, M_MMAP_THRESHOLD of malloc.h
_LARGEST_BLOCK = 32 * 2**20  # bytes; glibc takes larger blocks from the system in any case
_KEPT = 256 * 2**20  # bytes, more than a step of a large cohort takes


@cache
def keep_freed_memory() -> None:
    """Let the C library keep up to 256 MiB of freed memory, in blocks of up to 32 MiB.

    Applies to the whole process and cannot be undone. Does nothing where the C library is not
    glibc.
    """
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):
            mallopt = ctypes.CDLL(None).mallopt
            mallopt(_TRIM_THRESHOLD, _KEPT)
            mallopt(_MMAP_THRESHOLD, _LARGEST_BLOCK)
