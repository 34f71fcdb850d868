"""Result of a power analysis: the cheapest recording that reaches a target accuracy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import jaxtyping as jt
import numpy as np
import pandas as pd
import xarray as xr

from virtuallab.vocabulary import DESIGN

Values = dict[str, Any]  # of the open settings of a design, by path


@dataclass(frozen=True)
class DesignResult:
    """A design that was evaluated: its open settings, cost, balanced accuracy and interval."""

    values: Values
    cost: float
    accuracy: float
    low: float
    high: float


@dataclass(frozen=True)
class Requirement:
    """Cheapest value of one setting that reaches the target, with the others as chosen.

    Parameters
    ----------
    setting : str
    more : bool
        True if accuracy increases with the setting; it decreases with noise.
    value, low, high : float
        The value and its interval; infinite if no value reaches the target.
    """

    setting: str
    more: bool
    value: float
    low: float
    high: float


@dataclass(frozen=True)
class AccuracyCurve:
    """Fitted accuracy and its interval at ascending levels of one setting, the others as chosen."""

    setting: str
    x: jt.Float[np.ndarray, " level"]
    value: jt.Float[np.ndarray, " level"]
    low: jt.Float[np.ndarray, " level"]
    high: jt.Float[np.ndarray, " level"]


@dataclass(frozen=True)
class PowerResult:
    """Result of a power analysis.

    Parameters
    ----------
    target, confidence : float
    tried : tuple of DesignResult
        All designs, in the order of their evaluation.
    chosen : mapping or None
        The cheapest design that the accuracies of all designs predict to reach the target; None if
        they predict it of none, or if new recordings are below the target.
    confirmed : DesignResult or None
        The chosen design in new recordings, which had no part in the choice.
    possible : bool
        False if no design is expected to reach the target.
    dearest : DesignResult
        The most expensive design, with the highest value of every setting.
    expected_dearest : (low, value, high)
        Its expected accuracy.
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
    def is_reached(self) -> bool:
        """True if the interval of the new recordings is not below the target anywhere."""
        return self.confirmed is not None and self.confirmed.low >= self.target

    @property
    def front(self) -> list[DesignResult]:
        """Pareto front of the designs in cost and accuracy, the cheapest first."""
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
        front = self.front
        return pd.DataFrame(
            {
                **each.values,
                "cost": each.cost,
                "balanced_accuracy": each.accuracy,
                "accuracy_low": each.low,
                "accuracy_high": each.high,
                "on_front": each in front,
            }
            for each in self.tried
        )
