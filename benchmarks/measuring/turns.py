"""Timing in turns: what is compared is measured one after another, again and again.

Other work on the machine then disturbs all alike. Times are of the processor, which do not count
the time in which another process has the core. A comparison is the median over turns of the ratio
of two times of one turn, with its quartiles.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import jaxtyping as jt
import numpy as np


@dataclass(frozen=True)
class Quartiles:
    """Median and quartiles of a measurement over turns."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: jt.Float[np.ndarray, " turn"] | Sequence[float]) -> Quartiles:
        """Summarise the values of all turns."""
        low, median, high = np.quantile(values, (0.25, 0.5, 0.75))
        return cls(float(median), float(low), float(high))

    def text(self, digits: int = 1) -> str:
        """Median, with the quartiles in brackets."""
        return f"{self.median:.{digits}f} [{self.low:.{digits}f}, {self.high:.{digits}f}]"


def processor_seconds(work: Callable[[], object], times: int = 1) -> float:
    """Processor time of this process for one call, the mean over ``times`` calls."""
    began = time.process_time()
    for _ in range(times):
        work()
    return (time.process_time() - began) / times


def calls_in(work: Callable[[], object], seconds: float) -> int:
    """Number of calls that take about so much processor time; at least one."""
    calls = 1
    while (each := processor_seconds(work, calls)) * calls < seconds / 4:
        calls *= 2
    return max(1, round(seconds / each))


def in_turns(
    works: Sequence[Callable[[], object]], turns: int, *, clock: Callable[[], float]
) -> jt.Float[np.ndarray, "turn work"]:
    """Seconds of each work in each turn, by ``clock``."""
    times = np.zeros((turns, len(works)))
    for turn in range(turns):
        for place, work in enumerate(works):
            began = clock()
            work()
            times[turn, place] = clock() - began
    return times
