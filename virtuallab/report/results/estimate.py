"""A number with the interval that it lies in, and how one is read from a verdict."""

from __future__ import annotations

import math
from dataclasses import dataclass

import xarray as xr


@dataclass(frozen=True)
class Estimate:
    """A number with the interval that it lies in.

    >>> str(Estimate(0.831, 0.79, 0.87))
    '0.83 [0.79, 0.87]'
    """

    value: float
    low: float
    high: float

    def is_above(self, chance: float) -> bool:
        """Whether the whole interval lies above chance."""
        return self.low > chance

    def __str__(self) -> str:
        if not math.isfinite(self.low):
            return f"{self.value:.2f}"
        return f"{self.value:.2f} [{self.low:.2f}, {self.high:.2f}]"


def estimate(cell: xr.Dataset, value: str, interval: str) -> Estimate | None:
    """Read an estimate; None where it was not measured.

    Parameters
    ----------
    cell : xr.Dataset
        One entry of a verdict.
    value, interval : str
        Variables without dims, and over ``bound`` (``low``, ``high``), if there is one.
    """
    number = number_of(cell, value)
    if number is None:
        return None
    if interval not in cell:
        return Estimate(number, math.nan, math.nan)
    bounds = cell[interval]
    return Estimate(number, float(bounds.sel(bound="low")), float(bounds.sel(bound="high")))


def number_of(cell: xr.Dataset, name: str) -> float | None:
    """Read a number; None where it is missing or not finite."""
    if name not in cell:
        return None
    number = float(cell[name])
    return number if math.isfinite(number) else None
