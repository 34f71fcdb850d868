"""When a probe records."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from jaxtyping import Int

from virtuallab.probe.fault import Complaint, positive


def visits_of(visits: int | Sequence[int] | str, n_visits: int) -> Int[np.ndarray, " visit"]:
    """Return the visits that a design asks for: all, a number spread evenly, or a list.

    >>> visits_of(5, 21)
    array([ 0,  5, 10, 15, 20])
    """
    if isinstance(visits, str):
        return np.arange(n_visits)
    if isinstance(visits, int):
        # One visit alone is the last: before learning there is nothing to see.
        return np.round(np.linspace(n_visits - 1, 0, visits)).astype(np.int64)[::-1]
    return np.array(visits, dtype=np.int64)


def impossible_visits(visits: int | Sequence[int] | str, n_visits: int) -> Iterator[Complaint]:
    """Say what of a schedule cannot be had of ``n_visits`` preserved visits."""
    if isinstance(visits, str):
        return
    if isinstance(visits, int):
        yield from positive("visits", visits)
        if visits > n_visits:
            yield (
                "visits",
                f"{visits} visits asked of {n_visits} that are preserved. Lower it, use 'all', or "
                "preserve more with subjects.visits.",
            )
        return
    if not visits:
        yield "visits", "no visit is named. Name one, or use 'all'."
    for place, visit in enumerate(visits):
        if visit in visits[:place]:
            yield f"visits[{place}]", f"visit {visit} is named twice. Name each visit once."
        elif visit < 0:
            yield f"visits[{place}]", f"visits are counted from 0, found {visit}."
        elif visit >= n_visits:
            yield (
                f"visits[{place}]",
                f"visit {visit} is after the end of training: the last visit is {n_visits - 1}.",
            )
        elif place and visit < visits[place - 1]:
            yield (
                f"visits[{place}]",
                f"visits must ascend, found {visit} after {visits[place - 1]}.",
            )
