"""Settings that differ between subjects: a grid, whose values are all tried, or a distribution.

A grid multiplies the subjects: each of its values gets all replicates. A distribution does not: one
value is drawn for every subject.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np

_DIGITS = 6  # significant digits of a drawn number


class Distribution(ABC):
    """What a subject's setting is drawn from."""

    @abstractmethod
    def draw(self, stream: np.random.Generator) -> Any:
        """Draw the value of one subject."""

    @abstractmethod
    def example(self) -> Any:
        """Return a value that it can draw, always the same one."""

    @abstractmethod
    def written(self) -> dict[str, Any]:
        """Return it as a protocol writes it."""


@dataclass(frozen=True)
class Grid:
    """Values that are all tried.

    Parameters
    ----------
    values : tuple
        At least one, each different.
    """

    values: tuple[Any, ...]

    def written(self) -> dict[str, Any]:
        """Return it as a protocol writes it."""
        return {"grid": list(self.values)}


@dataclass(frozen=True)
class Choice(Distribution):
    """One of several values, each as likely.

    Parameters
    ----------
    values : tuple
        At least one.
    """

    values: tuple[Any, ...]

    def draw(self, stream: np.random.Generator) -> Any:
        """Draw the value of one subject."""
        return self.values[int(stream.integers(len(self.values)))]

    def example(self) -> Any:
        """Return the first of the values."""
        return self.values[0]

    def written(self) -> dict[str, Any]:
        """Return it as a protocol writes it."""
        return {"choice": list(self.values)}


@dataclass(frozen=True)
class Uniform(Distribution):
    """A number between two bounds; a whole one, bounds included, where both bounds are whole.

    Parameters
    ----------
    low, high : int or float
        Bounds, in the unit of the setting.
    """

    low: int | float
    high: int | float

    def draw(self, stream: np.random.Generator) -> int | float:
        """Draw the value of one subject."""
        if isinstance(self.low, int) and isinstance(self.high, int):
            return int(stream.integers(self.low, self.high, endpoint=True))
        return rounded(float(stream.uniform(self.low, self.high)), self.low, self.high)

    def example(self) -> int | float:
        """Return the lower bound."""
        return self.low

    def written(self) -> dict[str, Any]:
        """Return it as a protocol writes it."""
        return {"uniform": [self.low, self.high]}


@dataclass(frozen=True)
class LogUniform(Distribution):
    """A positive number whose logarithm is uniform: every decade is as likely.

    Parameters
    ----------
    low, high : int or float
        Bounds, both positive, in the unit of the setting.
    """

    low: int | float
    high: int | float

    def draw(self, stream: np.random.Generator) -> int | float:
        """Draw the value of one subject."""
        value = math.exp(float(stream.uniform(math.log(self.low), math.log(self.high))))
        if isinstance(self.low, int) and isinstance(self.high, int):
            return min(max(round(value), self.low), self.high)
        return rounded(value, self.low, self.high)

    def example(self) -> int | float:
        """Return the lower bound."""
        return self.low

    def written(self) -> dict[str, Any]:
        """Return it as a protocol writes it."""
        return {"log_uniform": [self.low, self.high]}


def rounded(value: float, low: int | float, high: int | float) -> int | float:
    """Round a number that was drawn; it stays within its bounds."""
    # The last bits of a logarithm differ between machines; six digits do not, and can be read.
    return min(max(float(f"{value:.{_DIGITS}g}"), low), high)
