"""Settings with several values: a grid, or a distribution.

A grid multiplies the subjects: each of its values is used with all replicates. A distribution does
not: one value is drawn for each subject. A new form is one class here, listed in :data:`FORMS`.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

_DIGITS = 6  # significant digits of a drawn number


class Variation(ABC):
    """Base class of the forms that a setting with several values can take.

    Attributes
    ----------
    form : str
        Key in a protocol, ``"uniform"``.
    meaning : str
        Description in the schema.
    """

    form: ClassVar[str]
    meaning: ClassVar[str]

    @property
    @abstractmethod
    def entries(self) -> tuple[Any, ...]:
        """Values, or bounds, in the order of the protocol."""

    @property
    def bounds(self) -> tuple[Any, Any]:
        """Least and greatest value."""
        return min(self.entries), max(self.entries)

    def written(self) -> dict[str, Any]:
        """Return the mapping by which a protocol describes it."""
        return {self.form: list(self.entries)}


class Distribution(Variation):
    """Base class of distributions, from which the value of each subject is drawn."""

    @abstractmethod
    def draw(self, stream: np.random.Generator) -> Any:
        """Draw the value of one subject."""

    def example(self) -> Any:
        """Return one possible value, always the same."""
        return self.entries[0]


@dataclass(frozen=True)
class ValueList(Variation):
    """Base class of the forms that list their values.

    Parameters
    ----------
    values : tuple
        At least one; all different.
    """

    values: tuple[Any, ...]

    @property
    def entries(self) -> tuple[Any, ...]:
        """Values, in the order of the protocol."""
        return self.values


@dataclass(frozen=True)
class Grid(ValueList):
    """Values that are all used."""

    form: ClassVar[str] = "grid"
    meaning: ClassVar[str] = "Every value is used, each with all replicates."


@dataclass(frozen=True)
class Choice(ValueList, Distribution):
    """A distribution of several values, each with the same probability."""

    form: ClassVar[str] = "choice"
    meaning: ClassVar[str] = "One of these is drawn for each subject."

    def draw(self, stream: np.random.Generator) -> Any:
        """Draw the value of one subject."""
        return self.values[int(stream.integers(len(self.values)))]


@dataclass(frozen=True)
class Interval(Distribution):
    """Base class of distributions of numbers between two bounds, whole if both bounds are.

    Parameters
    ----------
    low, high : int or float
        Bounds, in the unit of the setting.
    """

    low: int | float
    high: int | float
    positive: ClassVar[bool] = False  # do both bounds have to be greater than 0?

    @property
    def entries(self) -> tuple[int | float, int | float]:
        """Lower and upper bound."""
        return self.low, self.high

    @property
    def whole(self) -> bool:
        """True if whole numbers are drawn."""
        return isinstance(self.low, int) and isinstance(self.high, int)


@dataclass(frozen=True)
class Uniform(Interval):
    """A uniform distribution between two bounds; for whole numbers both bounds are included."""

    form: ClassVar[str] = "uniform"
    meaning: ClassVar[str] = "A number between these is drawn for each subject."

    def draw(self, stream: np.random.Generator) -> int | float:
        """Draw the value of one subject."""
        if self.whole:
            return int(stream.integers(int(self.low), int(self.high), endpoint=True))
        return rounded(float(stream.uniform(self.low, self.high)), self.low, self.high)


@dataclass(frozen=True)
class LogUniform(Interval):
    """A distribution of positive numbers with a uniform logarithm: decades are equally likely."""

    form: ClassVar[str] = "log_uniform"
    meaning: ClassVar[str] = (
        "A number between these is drawn for each subject, with a uniform logarithm."
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
    """Return the least and greatest value of a setting, or its only value."""
    return value.bounds if isinstance(value, Variation) else (value,)


def rounded(value: float, low: int | float, high: int | float) -> int | float:
    """Return a number rounded to six digits and kept within its bounds."""
    # The last bits of a logarithm differ between machines; the first six digits do not.
    return min(max(float(f"{value:.{_DIGITS}g}"), low), high)
