"""Our own rules keep to what rules must, and the check finds those that do not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import ClassVar

import pytest
import torch
from torch import Tensor

from virtuallab.fields import NonNegativeFloat, setting
from virtuallab.registry import ARCHITECTURES, RULES
from virtuallab.subject.learning.error_feedback import ErrorFeedback
from virtuallab.subject.learning.layer_view import LayerView
from virtuallab.subject.learning.locality import ErrorReturn, Objective
from virtuallab.subject.network.network import Network
from virtuallab.subject.rule import Updates
from virtuallab.testing import check_rule

# Takes four times as long as any other: it relaxes its units at each step.
SLOW = ("predictive_coding",)


@pytest.mark.parametrize(
    "rule", [pytest.param(name, marks=pytest.mark.slow if name in SLOW else ()) for name in RULES]
)
def test_every_rule_keeps_to_what_a_rule_must(rule: str) -> None:
    check_rule(rule)


def test_a_rule_is_checked_with_its_settings_and_in_the_network_asked_for() -> None:
    rule = RULES["information_alignment"](amp=0.1, positions="sum")
    check_rule(rule, ARCHITECTURES["knet5"](channels=(2, 3, 3, 3), normalisation="batch"))


@dataclass(frozen=True, kw_only=True)
class _Rule(ErrorFeedback):
    """Backpropagation, until a test breaks it."""

    error_return = ErrorReturn.FORWARD_WEIGHTS
    objective = Objective.SUPERVISED

    rate: NonNegativeFloat = setting(0.5, doc="Size of the steps.")


def test_a_rule_without_a_name_is_told_how_to_get_one() -> None:
    with pytest.raises(AssertionError, match=r"_Rule has no name; put @RULES\.register"):
        check_rule(_Rule)


class Seen:
    """What a rule must not have: a memory of its own."""

    steps = 0


@pytest.fixture(autouse=True)
def _forgets() -> Iterator[None]:
    Seen.steps = 0
    yield
    Seen.steps = 0


@dataclass(frozen=True, kw_only=True)
class Sound(_Rule):
    name: ClassVar[str] = "sound"

    def forward_step(self, at: LayerView) -> torch.Tensor:
        assert at.pseudogradient is not None
        return at.scale(self.rate, at.pseudogradient)


@dataclass(frozen=True, kw_only=True)
class Shaky(Sound):
    def forward_step(self, at: LayerView) -> torch.Tensor:
        return super().forward_step(at) + torch.randn(())


@dataclass(frozen=True, kw_only=True)
class Counting(Sound):
    def forward_step(self, at: LayerView) -> torch.Tensor:
        Seen.steps += 1
        return super().forward_step(at) * Seen.steps


@dataclass(frozen=True, kw_only=True)
class Observed(Sound):
    """Repeats itself, but takes each update that is not applied for one that is."""

    def compute_updates(
        self, network: Network, stimuli: Tensor, labels: Tensor, step: int
    ) -> Updates:
        Seen.steps = 0 if step == 0 and not network.memory else Seen.steps + 1
        network.remember("begun", network.parameters[0])
        found = super().compute_updates(network, stimuli, labels, step)
        assert found.forward is not None
        return replace(found, forward=[each * (1 + Seen.steps) for each in found.forward])


@dataclass(frozen=True, kw_only=True)
class Gregarious(Sound):
    def forward_step(self, at: LayerView) -> torch.Tensor:
        step = super().forward_step(at)
        return step - step.mean(0, keepdim=True)


@dataclass(frozen=True, kw_only=True)
class Uniform(Sound):
    def forward_step(self, at: LayerView) -> torch.Tensor:
        rate = self.rate[0] if isinstance(self.rate, Tensor) else self.rate
        return super().forward_step(at) * rate


@dataclass(frozen=True, kw_only=True)
class Scalar(Sound):
    def forward_step(self, at: LayerView) -> torch.Tensor:
        return super().forward_step(at) * float(self.rate)


@dataclass(frozen=True, kw_only=True)
class Fragile(Sound):
    def forward_step(self, at: LayerView) -> torch.Tensor:
        step = super().forward_step(at)
        return step + 0 * step.sum()


@dataclass(frozen=True, kw_only=True)
class Reshaped(Sound):
    def forward_step(self, at: LayerView) -> torch.Tensor:
        return super().forward_step(at)[..., :1]


@dataclass(frozen=True, kw_only=True)
class Short(Sound):
    def compute_updates(
        self, network: Network, stimuli: Tensor, labels: Tensor, step: int
    ) -> Updates:
        found = super().compute_updates(network, stimuli, labels, step)
        assert found.forward is not None
        return replace(found, forward=found.forward[1:])


def test_a_sound_rule_passes() -> None:
    check_rule(Sound)


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (Shaky, "draws from torch's global random stream"),
        (Counting, "does not repeat itself"),
        (Observed, "learns differently if there is a visit on the way"),
        (Gregarious, "trains a subject alone to other weights than in a cohort"),
        (Uniform, "uses the settings of one subject for another"),
        (Scalar, "fails in a cohort of 3 .*tensor with a number for each"),
        (Fragile, "lets a subject that diverges change its neighbours"),
        (Reshaped, r"forward step 0 of shape \(3, 12, 1\) for a weight of shape \(3, 12, 64\)"),
        (Short, "returns 3 forward steps for 4 forward weights"),
    ],
)
def test_a_rule_that_breaks_what_it_must_keep_is_told_what(
    broken: type[Sound], message: str
) -> None:
    with pytest.raises(AssertionError, match=f"rule 'sound' in mlp: .*{message}"):
        check_rule(broken)
