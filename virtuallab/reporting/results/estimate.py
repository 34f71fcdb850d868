"""Numbers with confidence intervals, read from a store."""

from __future__ import annotations

import math
from dataclasses import dataclass

import xarray as xr

from virtuallab.decoder.equivalence import compare_accuracies


@dataclass(frozen=True)
class Estimate:
    """A number with its confidence interval.

    >>> str(Estimate(0.831, 0.79, 0.87))
    '0.83 [0.79, 0.87]'
    """

    value: float
    low: float
    high: float

    def is_above(self, chance: float) -> bool:
        """True if the whole interval is above chance."""
        return self.low > chance

    def is_at_most(self, chance: float) -> bool:
        """True if the whole interval is shown to be no higher than chance."""
        return compare_accuracies(self.low - chance, self.high - chance).is_no_higher

    def __str__(self) -> str:
        if not math.isfinite(self.low):
            return f"{self.value:.2f}"
        return f"{self.value:.2f} [{self.low:.2f}, {self.high:.2f}]"


def read_estimate(cell: xr.Dataset, value: str, interval: str) -> Estimate | None:
    """Accuracy ``value`` with its ``interval``, if stored; None if not measured.

    Bounds are limited to 0 and 1; those of controls, computed around the accuracy, can exceed them.
    """
    number = read_number(cell, value)
    if number is None:
        return None
    if interval not in cell:
        return Estimate(number, math.nan, math.nan)
    low, high = (float(cell[interval].sel(bound=bound).clip(0, 1)) for bound in ("low", "high"))
    return Estimate(number, low, high)


def read_number(cell: xr.Dataset, name: str) -> float | None:
    """Variable without dimensions as a number, or None if it is missing or not finite."""
    if name not in cell:
        return None
    number = float(cell[name])
    return number if math.isfinite(number) else None
