"""Every schedule passes its conformance check, and the check names what a schedule breaks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pytest

from virtuallab.registry import SCHEDULES
from virtuallab.subject.schedule import LearningRateSchedule
from virtuallab.testing import check_schedule

pytestmark = pytest.mark.usefixtures("own_random_streams")


@pytest.mark.parametrize("name", list(SCHEDULES))
def test_a_schedule_of_ours_passes(name: str) -> None:
    check_schedule(name)


@dataclass(frozen=True, kw_only=True)
class Halving(LearningRateSchedule):
    name: ClassVar[str] = "halving"

    def factor(self, progress: float) -> float:
        return 0.5**progress


class Negative(Halving):
    def factor(self, progress: float) -> float:
        return 0.5 - progress


class Infinite(Halving):
    def factor(self, progress: float) -> float:
        return float("inf") if progress == 1 else 1.0


class Wordy(Halving):
    def factor(self, progress: float) -> Any:
        return "1"


class Stopped(Halving):
    def factor(self, progress: float) -> float:
        return 0.0


class Counting(Halving):
    calls: ClassVar[list[float]] = []

    def factor(self, progress: float) -> float:
        self.calls.append(progress)
        return float(len(self.calls))


class Jittered(Halving):
    def factor(self, progress: float) -> float:
        np.random.random()  # noqa: NPY002
        return 1.0


def test_one_from_outside_passes() -> None:
    check_schedule(Halving)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (Negative, "returns -0.001 at progress 0.501"),
        (Infinite, "returns inf at progress 1"),
        (Wordy, "returns a str at progress 0"),
        (Stopped, "returns 0 in all of training"),
        (Counting, "returns other factors when it is asked again"),
        (Jittered, "draws from a global random stream"),
    ],
)
def test_what_a_schedule_breaks_is_named(wrong: type[LearningRateSchedule], message: str) -> None:
    with pytest.raises(AssertionError, match=f"schedule 'halving' {message}"):
        check_schedule(wrong)
