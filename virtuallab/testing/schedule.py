"""Conformance check of schedules of learning rates."""

from __future__ import annotations

import math

import numpy as np

from virtuallab.registry import SCHEDULES
from virtuallab.subject.schedule import LearningRateSchedule
from virtuallab.testing.plugin import broken, global_state, plugin_instance

_POINTS = 1001


def check_schedule(schedule: str | type[LearningRateSchedule] | LearningRateSchedule) -> None:
    """Check that a schedule gives a factor of the learning rate at any progress of training.

    The factor is a plain number, finite, not negative, and the same whenever it is asked for; it is
    not 0 in all of training.

    Parameters
    ----------
    schedule : str, type or LearningRateSchedule
        A registered name, a class (both with default settings), or an instance.

    Raises
    ------
    AssertionError
        With what the schedule breaks.
    """
    made: LearningRateSchedule = plugin_instance(schedule, SCHEDULES, LearningRateSchedule)
    before = global_state()
    points = np.linspace(0, 1, _POINTS).tolist()
    factors = [made.factor(progress) for progress in points]
    for progress, factor in zip(points, factors, strict=True):
        if not isinstance(factor, int | float):
            broken(
                "schedule",
                made,
                f"returns a {type(factor).__name__} at progress {progress:g}, not a number",
            )
        if not (math.isfinite(factor) and factor >= 0):
            broken("schedule", made, f"returns {factor:g} at progress {progress:g}")
    if not any(factors):
        broken("schedule", made, "returns 0 in all of training, so that nothing is learned")
    if [made.factor(progress) for progress in reversed(points)] != factors[::-1]:
        broken("schedule", made, "returns other factors when it is asked again")
    if global_state() != before:
        broken("schedule", made, "draws from a global random stream; a factor must not be random")
