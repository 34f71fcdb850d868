"""Values that a setting takes where it has more than one: a grid, or a distribution.

A grid multiplies the subjects: each of its values is tried with all replicates. A distribution does
not: one value is drawn for each subject. A new form is one class here; :data:`FORMS` names it.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

_DIGITS = 6  # significant digits of a drawn number


class Variation(ABC):
    """Base of what a setting can be instead of one value."""

    form: ClassVar[str]
    """Its key in a protocol, ``"uniform"``."""
    meaning: ClassVar[str]
    """Its description in the schema."""

    @property
    @abstractmethod
    def entries(self) -> tuple[Any, ...]:
        """Values or bounds, as a protocol lists them."""

    @property
    def bounds(self) -> tuple[Any, Any]:
        """Least and greatest value."""
        return min(self.entries), max(self.entries)

    def written(self) -> dict[str, Any]:
        """Return it as a protocol writes it."""
        return {self.form: list(self.entries)}


class Distribution(Variation):
    """Base of what the value of a subject is drawn from."""

    @abstractmethod
    def draw(self, stream: np.random.Generator) -> Any:
        """Draw the value of one subject."""

    def example(self) -> Any:
        """Return a value that it can draw, always the same one."""
        return self.entries[0]


@dataclass(frozen=True)
class ValueList(Variation):
    """Base of the forms that list their values.

    Parameters
    ----------
    values : tuple
        At least one, each different.
    """

    values: tuple[Any, ...]

    @property
    def entries(self) -> tuple[Any, ...]:
        """Values."""
        return self.values


@dataclass(frozen=True)
class Grid(ValueList):
    """Values that are all tried."""

    form: ClassVar[str] = "grid"
    meaning: ClassVar[str] = "Every value is tried, each with all replicates."


@dataclass(frozen=True)
class Choice(ValueList, Distribution):
    """One of several values, each with the same probability."""

    form: ClassVar[str] = "choice"
    meaning: ClassVar[str] = "One of these is drawn for each subject."

    def draw(self, stream: np.random.Generator) -> Any:
        """Draw the value of one subject."""
        return self.values[int(stream.integers(len(self.values)))]


@dataclass(frozen=True)
class Interval(Distribution):
    """Base of the distributions of numbers between two bounds; whole where both bounds are.

    Parameters
    ----------
    low, high : int or float
        Bounds, in the unit of the setting.
    """

    low: int | float
    high: int | float
    positive: ClassVar[bool] = False
    """Whether both bounds have to be greater than 0."""

    @property
    def entries(self) -> tuple[int | float, int | float]:
        """Bounds."""
        return self.low, self.high

    @property
    def whole(self) -> bool:
        """Whether whole numbers are drawn."""
        return isinstance(self.low, int) and isinstance(self.high, int)


@dataclass(frozen=True)
class Uniform(Interval):
    """A number between two bounds, bounds included where it is whole."""

    form: ClassVar[str] = "uniform"
    meaning: ClassVar[str] = "A number between these is drawn for each subject."

    def draw(self, stream: np.random.Generator) -> int | float:
        """Draw the value of one subject."""
        if self.whole:
            return int(stream.integers(int(self.low), int(self.high), endpoint=True))
        return rounded(float(stream.uniform(self.low, self.high)), self.low, self.high)


@dataclass(frozen=True)
class LogUniform(Interval):
    """A positive number whose logarithm is uniform: every decade has the same probability."""

    form: ClassVar[str] = "log_uniform"
    meaning: ClassVar[str] = (
        "A number between these is drawn for each subject, its logarithm uniformly."
    )
    positive: ClassVar[bool] = True

    def draw(self, stream: np.random.Generator) -> int | float:
        """Draw the value of one subject."""
        value = math.exp(float(stream.uniform(math.log(self.low), math.log(self.high))))
        if self.whole:
            return min(max(round(value), self.low), self.high)
        return rounded(value, self.low, self.high)


FORMS: dict[str, type[ValueList] | type[Interval]] = {
    each.form: each for each in (Grid, Choice, Uniform, LogUniform)
}


def bounds_of(value: Any) -> tuple[Any, ...]:
    """Least and greatest value of a setting; of one that has a single value that value alone."""
    return value.bounds if isinstance(value, Variation) else (value,)


def rounded(value: float, low: int | float, high: int | float) -> int | float:
    """Number rounded to six digits, kept within its bounds."""
    # The last bits of a logarithm differ between machines; six digits do not, and can be read.
    return min(max(float(f"{value:.{_DIGITS}g}"), low), high)
