"""When a probe records."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import jaxtyping as jt
import numpy as np

from virtuallab.fields import Count, setting
from virtuallab.probe.fault import Complaint, positive


@dataclass(frozen=True, kw_only=True)
class Series:
    """Visits at equal distances: early ones, late ones, a window, every so many."""

    count: Count = setting(doc="How many visits.")
    first: int = setting(
        0, doc="The first of them, counted from 0; if negative, from the end: -5 is the last but 4."
    )
    every: Count = setting(1, doc="From one to the next, in visits that are preserved.")


def visits_of(
    visits: int | Sequence[int] | str | Series, n_visits: int
) -> jt.Int[np.ndarray, " visit"]:
    """Return the visits that a design asks for: all, a number spread evenly, a list, or a series.

    >>> visits_of(5, 21)
    array([ 0,  5, 10, 15, 20])
    >>> visits_of(Series(count=3, first=-6, every=2), 21)
    array([15, 17, 19])
    """
    if isinstance(visits, str):
        return np.arange(n_visits)
    if isinstance(visits, Series):
        first = visits.first + (n_visits if visits.first < 0 else 0)
        return first + visits.every * np.arange(visits.count)
    if isinstance(visits, int):
        # One visit alone is the last: before learning there is nothing to see.
        return np.round(np.linspace(n_visits - 1, 0, visits)).astype(np.int64)[::-1]
    return np.array(visits, dtype=np.int64)


def impossible_visits(
    visits: int | Sequence[int] | str | Series, n_visits: int
) -> Iterator[Complaint]:
    """Say what of a schedule cannot be had of ``n_visits`` preserved visits."""
    if isinstance(visits, str):
        return
    if isinstance(visits, Series):
        yield from _impossible_series(visits, n_visits)
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


def _last(visits: Series, n_visits: int) -> int:
    """Last visit of a series, whether there is one or not."""
    first = visits.first + (n_visits if visits.first < 0 else 0)
    return first + visits.every * (visits.count - 1)


def _impossible_series(visits: Series, n_visits: int) -> Iterator[Complaint]:
    beyond = [*positive("visits.count", visits.count), *positive("visits.every", visits.every)]
    yield from beyond
    if not -n_visits <= visits.first < n_visits:
        yield (
            "visits.first",
            f"there is no visit {visits.first}: {n_visits} are preserved, 0 to {n_visits - 1}.",
        )
    elif not beyond and (last := _last(visits, n_visits)) >= n_visits:
        yield (
            "visits",
            f"the last of these visits would be {last}; the last that is preserved is "
            f"{n_visits - 1}. Lower count or every, or begin earlier.",
        )
