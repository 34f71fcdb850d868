"""Visits at which a probe records."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import jaxtyping as jt
import numpy as np

from virtuallab.fields import Count, setting


@dataclass(frozen=True, kw_only=True)
class Series:
    """Visits at equal distances: early ones, late ones, or a window."""

    count: Count = setting(doc="How many visits.")
    first: int = setting(
        0, doc="The first of them, counted from 0; if negative, from the end: -5 is the last but 4."
    )
    every: Count = setting(1, doc="From one to the next, in visits that are preserved.")

    def start(self, n_visits: int) -> int:
        """Index of the first of them, counted from 0, among ``n_visits`` preserved visits."""
        return self.first + (n_visits if self.first < 0 else 0)

    def end(self, n_visits: int) -> int:
        """Index of the last of them; without the array, which may be too long for any memory."""
        return self.start(n_visits) + self.every * (self.count - 1)


Visits = int | Sequence[int] | Series | Literal["all"]


def count_visits(visits: Visits, n_visits: int) -> int:
    """Number of recorded visits where ``n_visits`` are preserved, also of impossible schedules."""
    if visits == "all":
        return n_visits
    if isinstance(visits, Series):
        return visits.count
    return visits if isinstance(visits, int) else len(visits)


def visit_indices(visits: Visits, n_visits: int) -> jt.Int[np.ndarray, " visit"]:
    """Indices of the recorded visits, ascending.

    Parameters
    ----------
    visits : "all", int, sequence of int or Series
        All, a number spread evenly, a list, or a series.
    n_visits : int
        Number of preserved visits.

    >>> visit_indices(5, 21)
    array([ 0,  5, 10, 15, 20])
    >>> visit_indices(Series(count=3, first=-6, every=2), 21)
    array([15, 17, 19])
    """
    if visits == "all":
        return np.arange(n_visits)
    if isinstance(visits, Series):
        return visits.start(n_visits) + visits.every * np.arange(visits.count)
    if isinstance(visits, int):
        # A single visit is the last one: at visit 0 learning has not begun.
        return np.round(np.linspace(n_visits - 1, 0, visits)).astype(np.int64)[::-1]
    return np.array(visits, dtype=np.int64)
