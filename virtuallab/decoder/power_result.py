"""Result of a power analysis: the least that has to be recorded for a target accuracy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from virtuallab.vocabulary import DESIGN

Values = dict[str, Any]  # of the open settings of a design, by path


@dataclass(frozen=True)
class DesignResult:
    """A design that was tried.

    Parameters
    ----------
    values : mapping
        Of the open settings.
    cost, accuracy, low, high : float
        What it costs; balanced accuracy and its interval.
    """

    values: Values
    cost: float
    accuracy: float
    low: float
    high: float


@dataclass(frozen=True)
class Requirement:
    """How much of one setting is needed, the others being those of the design that is chosen.

    Parameters
    ----------
    setting : str
    more : bool
        Whether more of it tells more; of noise, less does.
    value, low, high : float
        The cheapest value that reaches the target, and its interval; infinite where none does.
    """

    setting: str
    more: bool
    value: float
    low: float
    high: float


@dataclass(frozen=True)
class AccuracyCurve:
    """Fitted accuracy along one setting, the others being those of the design that is chosen.

    Parameters
    ----------
    setting : str
    x, value, low, high : array, (level,)
        Levels of the setting, ascending; accuracy and its interval.
    """

    setting: str
    x: np.ndarray
    value: np.ndarray
    low: np.ndarray
    high: np.ndarray


@dataclass(frozen=True)
class PowerResult:
    """The answer of a search.

    Parameters
    ----------
    target, confidence : float
    tried : tuple of DesignResult
        All designs, in the order in which they were tried.
    chosen : mapping or None
        The cheapest design that reaches the target with the confidence; None if none does.
    confirmed : DesignResult or None
        The chosen design tried anew.
    possible : bool
        Whether the target is expected to be reached by any design at all.
    dearest : DesignResult
        The design that has the most of everything.
    expected_dearest : (low, value, high)
        What it is expected to reach.
    chance : float
    least : tuple of Requirement
        Of each open setting.
    along : tuple of AccuracyCurve
        Of each open setting.
    """

    target: float
    confidence: float
    tried: tuple[DesignResult, ...]
    chosen: Values | None
    confirmed: DesignResult | None
    possible: bool
    dearest: DesignResult
    expected_dearest: tuple[float, float, float]
    chance: float
    least: tuple[Requirement, ...]
    along: tuple[AccuracyCurve, ...]

    @property
    def front(self) -> list[DesignResult]:
        """Designs tried that no other beats in both cost and accuracy, the cheapest first."""
        ordered = sorted(self.tried, key=lambda each: (each.cost, -each.accuracy))
        front: list[DesignResult] = []
        for each in ordered:
            if not front or each.accuracy > front[-1].accuracy:
                front.append(each)
        return front

    def to_dataset(self) -> xr.Dataset:
        """Return all designs tried.

        Returns
        -------
        xr.Dataset
            Over ``design``: the open settings as coordinates, ``cost``, ``balanced_accuracy``, its
            ``interval`` (design, bound), and whether the design is ``on_front``. The target and
            chance are attributes.
        """
        front = self.front
        settings = {
            path: [each.values[path] for each in self.tried] for path in self.tried[0].values
        }
        return xr.Dataset(
            {
                "cost": (DESIGN, [each.cost for each in self.tried]),
                "balanced_accuracy": (DESIGN, [each.accuracy for each in self.tried]),
                "interval": ((DESIGN, "bound"), [[each.low, each.high] for each in self.tried]),
                "on_front": (DESIGN, [each in front for each in self.tried]),
            },
            coords={
                DESIGN: np.arange(len(self.tried)),
                "bound": np.array(["low", "high"], dtype=object),
                **{path: (DESIGN, values) for path, values in settings.items()},
            },
            attrs={"target": self.target, "confidence": self.confidence, "chance": self.chance},
        )

    def to_frame(self) -> pd.DataFrame:
        """Return all designs tried, one row a design."""
        return pd.DataFrame(
            {
                **each.values,
                "cost": each.cost,
                "balanced_accuracy": each.accuracy,
                "accuracy_low": each.low,
                "accuracy_high": each.high,
                "on_front": each in self.front,
            }
            for each in self.tried
        )
