"""Every control keeps to what a control must, and the check finds what does not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from virtuallab.decoder.controls.common.chance import at_chance
from virtuallab.decoder.controls.common.control import Control, ControlResult
from virtuallab.decoder.task import DecodingTask
from virtuallab.registry import CONTROLS
from virtuallab.testing import check_control


@pytest.mark.parametrize("name", list(CONTROLS))
def test_a_control_of_ours_passes(name: str) -> None:
    check_control(name)


class Order(Control):
    """A random number of each subject is at chance."""

    name = "order"
    kind = "chance"
    decodes = "a random number"
    failure = "chance is not chance"

    def evaluate(self, task: DecodingTask) -> ControlResult:
        stream = np.random.default_rng(task.seed)
        samples = task.samples_of(stream.standard_normal((len(task.labels), 1)))
        return at_chance(self.name, task.decode(samples, select=False).confusion, task.confidence)


class Leaking(Order):
    """Reads the answer."""

    def evaluate(self, task: DecodingTask) -> ControlResult:
        number = np.searchsorted(task.classes, task.labels)[:, None].astype(float)
        result = task.decode(task.samples_of(number), select=False)
        return at_chance(self.name, result.confusion, task.confidence)


class Restless(Order):
    """Never gives the same result twice."""

    calls = 0

    def evaluate(self, task: DecodingTask) -> ControlResult:
        Restless.calls += 1
        return super().evaluate(replace(task, seed=Restless.calls))


class Demanding(Order):
    """Takes for granted that learning rates are known."""

    def evaluate(self, task: DecodingTask) -> ControlResult:
        assert task.subjects is None or len(task.subjects["learning_rate"])
        return super().evaluate(replace(task, seed=int(task.column("steps")[0])))  # type: ignore[index]


class Silent(Order):
    """Does not say what it decodes."""

    decodes = ""


class Unconditional(Order):
    """Must be beaten, and does not say by which words."""

    kind = "beat"


def test_one_from_outside_passes() -> None:
    check_control(Order)


@pytest.mark.parametrize(
    ("control", "message"),
    [
        (Leaking, "tasks in which rules do not differ"),
        (Restless, "gives another result"),
        (Demanding, "raises TypeError if nothing is known"),
        (Silent, "has no decodes"),
        (Unconditional, "is a 'beat' control and has no condition"),
    ],
)
def test_what_a_control_breaks_is_named(control: type[Control], message: str) -> None:
    with pytest.raises(AssertionError, match=message):
        check_control(control)
