"""What came of one control."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

Kind = Literal["chance", "beat", "survive"]


@dataclass(frozen=True)
class Check:
    """What came of one control.

    Parameters
    ----------
    name : str
    kind : {"chance", "beat", "survive"}
        Whether its own accuracy must be at chance, must lie below the recording's, or is the
        recording's own in subjects that are alike and must still lie above chance.
    accuracy : float
        Balanced accuracy of the control; NaN where it was not asked.
    low, high : float
        Bounds of that accuracy. Whether a ``chance`` control fails is decided by its p-value, which
        is one-sided.
    passed : bool
        False also where it was not asked: nothing is known then.
    n_subjects : int
        Subjects that it was asked of, or that were left for it.
    note : str
        What must be said with it; why, where it was not asked.
    p_value : float
        Of ``chance`` and ``survive``: how often guessing does as well. NaN otherwise.
    margin : (float, float, float), optional
        Of ``beat``: by how much the recording lies above it in the same subjects, and bounds.
    """

    name: str
    kind: Kind
    accuracy: float
    low: float
    high: float
    passed: bool
    n_subjects: int
    note: str = ""
    p_value: float = math.nan
    margin: tuple[float, float, float] | None = None

    @property
    def asked(self) -> bool:
        """Whether it was asked at all."""
        return math.isfinite(self.accuracy)


def not_asked(name: str, kind: Kind, n_subjects: int, reason: str) -> Check:
    """Return a control that could not be asked, and why."""
    return Check(name, kind, math.nan, math.nan, math.nan, False, n_subjects, reason)
