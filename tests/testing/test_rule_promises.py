"""What a rule promises is measured, and a promise that is not kept is named."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import pytest
import torch
from torch import Tensor

from virtuallab.fields import NonNegativeFloat, setting
from virtuallab.registry import RULES
from virtuallab.subject.learning.error_feedback import ErrorFeedback
from virtuallab.subject.learning.layer_view import LayerView
from virtuallab.subject.learning.locality import (
    Availability,
    ErrorReturn,
    Need,
    Objective,
    needs_by_availability,
)
from virtuallab.subject.network.network import Network
from virtuallab.subject.rule import GradientAngle, Rule, Updates
from virtuallab.testing.rule_promises import check_promises, gradient_angles

WITHOUT_PROMISE = {"bcm", "forward_forward", "hebbian", "oja"}  # no error reaches hidden layers


@pytest.mark.parametrize("name", list(RULES))
def test_a_rule_promises_an_angle_if_an_error_reaches_its_hidden_layers(name: str) -> None:
    promised = RULES[name].gradient_angle
    assert (promised is None) == (name in WITHOUT_PROMISE)
    assert needs_by_availability(RULES[name])
    for bounds in (promised.initial, promised.trained) if promised else ():
        assert bounds is None or 0 <= bounds[0] <= bounds[1] <= 180


@pytest.mark.parametrize("name", list(RULES))
def test_a_rule_of_ours_declares_its_groups(name: str) -> None:
    rule = RULES[name]
    assert isinstance(rule.error_return, ErrorReturn)
    assert isinstance(rule.objective, Objective)
    assert (rule.error_return is ErrorReturn.NONE) == (name in WITHOUT_PROMISE)
    learned = {Need.LEARNED_ERROR, Need.TARGET} & set(rule.needs)
    assert (rule.error_return is ErrorReturn.LEARNED_WEIGHTS) == bool(learned)
    assert (rule.objective is Objective.REWARD) == (Need.IMAGE_REWARD in rule.needs)


@pytest.mark.parametrize("name", ["feedback_alignment", "kolen_pollack", "weight_mirror"])
def test_the_angle_of_feedback_rules_falls(name: str) -> None:
    promised = RULES[name].gradient_angle
    assert promised.trained[1] < promised.initial[0]


def test_the_measured_angles_are_those_of_the_seed() -> None:
    rule = RULES["sign_symmetry"]()
    first, again, other = (gradient_angles(rule, seed, (0,)) for seed in (1, 1, 2))
    assert first == again != other
    assert 30 < first[0] < 40


@dataclass(frozen=True, kw_only=True)
class Feedback(ErrorFeedback):
    """Feedback alignment with a gain, until a test breaks it."""

    name: ClassVar[str] = "mine"
    feedback = True
    needs = (Need.INPUT, Need.FIXED_ERROR)
    gradient_angle = GradientAngle(initial=(79.0, 102.0), trained=(53.0, 77.0))
    error_return: ClassVar[Any] = ErrorReturn.FIXED_WEIGHTS
    objective: ClassVar[Any] = Objective.SUPERVISED

    gain: NonNegativeFloat = setting(1.0, doc="Size of the steps.")

    def forward_step(self, layer: LayerView) -> torch.Tensor:
        assert layer.pseudogradient is not None
        return layer.scale(self.gain, layer.pseudogradient)


@dataclass(frozen=True, kw_only=True)
class TooLowAtFirst(Feedback):
    gradient_angle = GradientAngle(initial=(0.0, 60.0))


@dataclass(frozen=True, kw_only=True)
class TooLowLater(Feedback):
    gradient_angle = GradientAngle(initial=(79.0, 102.0), trained=(0.0, 50.0))


@dataclass(frozen=True, kw_only=True)
class Still(Feedback):
    """Its steps are zero, so the angle is not defined."""

    gain: NonNegativeFloat = setting(0.0, doc="Size of the steps.")


@dataclass(frozen=True, kw_only=True)
class Transporting(Feedback):
    """Returns the error through the forward weights, and declares that it does not."""

    feedback = False
    gradient_angle = None


@dataclass(frozen=True, kw_only=True)
class Following(Feedback):
    """The backward weight follows the forward one, and the rule declares that it does not."""

    needs = (Need.INPUT, Need.LEARNED_ERROR)
    gradient_angle = None

    def backward_step(self, layer: LayerView) -> torch.Tensor:
        return layer.backward_weight - layer.weight


@dataclass(frozen=True, kw_only=True)
class Taught(Feedback):
    """Its hidden layers receive an error, and the rule declares that they do not."""

    needs = (Need.INPUT, Need.RESPONSE)
    gradient_angle = None


@dataclass(frozen=True, kw_only=True)
class Honest(Transporting):
    needs = (Need.INPUT, Need.FORWARD_WEIGHTS)
    gradient_angle = GradientAngle(initial=(0.0, 0.0), trained=(0.0, 0.0))


@dataclass(frozen=True, kw_only=True)
class Undeclared(Feedback):
    error_return = None


@dataclass(frozen=True, kw_only=True)
class Misspelt(Feedback):
    objective = "supervised"


@pytest.mark.parametrize("rule", [Feedback, Honest])
def test_a_promise_that_is_kept_passes(rule: type[Rule]) -> None:
    check_promises(rule())


def test_an_angle_is_promised_for_default_settings_only() -> None:
    check_promises(TooLowAtFirst(gain=0.5))


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        (Undeclared, r"declares no error_return for reports; use one of ErrorReturn\.FORWARD_WE"),
        (Misspelt, r"declares no objective for reports; use one of Objective\.SUPERVISED"),
        (TooLowAtFirst, r"the initial gradient_angle 0 to 60 degrees; [89]\d\.\d degrees"),
        (TooLowLater, r"the trained gradient_angle 0 to 50 degrees; [56]\d\.\d degrees"),
        (Still, "the initial gradient_angle 79 to 102 degrees; nan degrees"),
        (Transporting, r"change with the forward weight of 'fc\d' where all responses are the"),
        (Following, r"change with the forward weight of 'fc\d' where all responses are the"),
        (Taught, "declares no need that depends on the labels"),
    ],
)
def test_a_promise_that_is_not_kept_is_named(rule: type[Rule], message: str) -> None:
    with pytest.raises(AssertionError, match=f"rule 'mine' .*{message}"):
        check_promises(rule())


@dataclass(frozen=True, kw_only=True)
class SecondPass(Transporting):
    """Needs a second pass, whose responses may depend on any weight."""

    needs = (Need.INPUT, Need.PAIRED_PASS)

    def compute_updates(
        self, network: Network, stimuli: Tensor, labels: Tensor, step: int
    ) -> Updates:
        return super().compute_updates(network, stimuli, labels, step)


def test_a_rule_that_is_partly_local_is_not_measured_for_weight_transport() -> None:
    assert Availability.EVERYWHERE in needs_by_availability(SecondPass)
    check_promises(SecondPass())
