"""Constant learning rate."""

from __future__ import annotations

from dataclasses import dataclass

from virtuallab.registry import SCHEDULES
from virtuallab.subject.schedule import LearningRateSchedule


@SCHEDULES.register("constant")
@dataclass(frozen=True, kw_only=True)
class Constant(LearningRateSchedule):
    """The learning rate is the same in all training steps."""

    def factor(self, progress: float) -> float:
        """Return 1."""
        return 1.0
