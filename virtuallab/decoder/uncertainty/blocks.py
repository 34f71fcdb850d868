"""Blocks of the draws of a bootstrap, so that its memory is bounded for any number of subjects."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

_ENTRIES: Final = 1_000_000  # numbers in a block: 8 MB


def blocks(draws: int, entries: int) -> Iterator[slice]:
    """Yield slices of the draws, each with at most a million numbers, or with one draw.

    Parameters
    ----------
    draws : int
    entries : int
        Numbers of one draw.

    Examples
    --------
    >>> [(some.start, some.stop) for some in blocks(5, 400_000)]
    [(0, 2), (2, 4), (4, 5)]
    """
    size = max(1, _ENTRIES // max(entries, 1))
    for first in range(0, draws, size):
        yield slice(first, min(first + size, draws))
