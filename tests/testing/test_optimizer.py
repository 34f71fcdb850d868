"""Every optimizer passes its conformance check, and the check names what an optimizer breaks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import pytest
import torch
from torch import Tensor

from virtuallab.fields import PositiveFloat, setting
from virtuallab.registry import OPTIMIZERS
from virtuallab.subject.network.signals import per_subject
from virtuallab.subject.optimizer import Optimizer, State
from virtuallab.testing import check_optimizer


class PlainExponentiatedGradient(torch.optim.Optimizer):
    """The update of the paper, of one network, with momentum 0.9."""

    def __init__(self, tensors: Sequence[Tensor]) -> None:
        super().__init__(tensors, {})

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:
        for weight in self.param_groups[0]["params"]:
            state = self.state[weight]
            state["velocity"] = 0.9 * state.get("velocity", 0) + weight.grad
            if weight.dim() == 1:
                weight -= 0.1 * state["velocity"]
            else:
                weight *= torch.exp(-0.1 * weight.sign() * state["velocity"])


COUNTERPARTS = {
    "exponentiated_gradient": PlainExponentiatedGradient,
    "sgd": lambda tensors: torch.optim.SGD(tensors, lr=0.01, momentum=0.9),
    "adam": lambda tensors: torch.optim.Adam(tensors, lr=1e-3),
    "adamw": lambda tensors: torch.optim.AdamW(tensors, lr=1e-3, weight_decay=0.01),
}


@pytest.mark.parametrize("name", list(OPTIMIZERS))
def test_an_optimizer_of_ours_passes(name: str) -> None:
    check_optimizer(name, COUNTERPARTS[name])


@dataclass(frozen=True, kw_only=True)
class SignDescent(Optimizer):
    """Steps of one size along the sign of a running mean."""

    name: ClassVar[str] = "sign_descent"

    learning_rate: PositiveFloat = setting(1e-3, doc="Step size. Dimensionless.")
    memory: PositiveFloat = setting(0.5, doc="Share of the mean that lasts.")

    def init(self, parameters: Sequence[Tensor]) -> State:
        return {"mean": [torch.zeros_like(each) for each in parameters]}

    def update(self, parameters: Sequence[Tensor], steps: Sequence[Tensor], state: State) -> None:
        for weight, step, mean in zip(parameters, steps, state["mean"], strict=True):
            mean.mul_(per_subject(self.memory, weight)).add_(step)
            weight.sub_(per_subject(self.learning_rate, weight) * mean.sign())


@dataclass(frozen=True, kw_only=True)
class Scalar(SignDescent):
    def update(self, parameters: Any, steps: Any, state: State) -> None:
        for weight, step in zip(parameters, steps, strict=True):
            weight.sub_(float(self.learning_rate) * step)


@dataclass(frozen=True, kw_only=True)
class Averaged(SignDescent):
    def update(self, parameters: Any, steps: Any, state: State) -> None:
        rate = torch.as_tensor(self.learning_rate).mean()
        for weight, step in zip(parameters, steps, strict=True):
            weight.sub_(rate * step)


@dataclass(frozen=True, kw_only=True)
class Scaling(SignDescent):
    def update(self, parameters: Any, steps: Any, state: State) -> None:
        for step in steps:
            step.mul_(0.5)
        super().update(parameters, steps, state)


@dataclass(frozen=True, kw_only=True)
class Shared(SignDescent):
    def init(self, parameters: Sequence[Tensor]) -> State:
        return {**super().init(parameters), "norm": torch.zeros(())}


@dataclass(frozen=True, kw_only=True)
class Clipped(SignDescent):
    """The norm is that of all subjects."""

    def update(self, parameters: Any, steps: Any, state: State) -> None:
        finite = all(bool(torch.isfinite(step).all()) for step in steps)
        super().update(parameters, [step * finite for step in steps], state)


@dataclass(frozen=True, kw_only=True)
class Ascent(SignDescent):
    def update(self, parameters: Any, steps: Any, state: State) -> None:
        super().update(parameters, [-step for step in steps], state)


@dataclass(frozen=True, kw_only=True)
class Divided(SignDescent):
    """The rate cancels, but not where it is 0."""

    def update(self, parameters: Any, steps: Any, state: State) -> None:
        for weight, step in zip(parameters, steps, strict=True):
            rate = per_subject(self.learning_rate, weight)
            weight.sub_(rate * (rate * step / rate))


def test_one_from_outside_passes() -> None:
    check_optimizer(SignDescent)
    check_optimizer(SignDescent(learning_rate=0.01, noise=0.1))


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (Scalar, r"fails in a cohort of 3 .*tensor \(subject,\)"),
        (Averaged, "changes a subject in a cohort by other settings"),
        (Scaling, "changes the steps in place"),
        (Shared, r"a tensor of shape \(\) in its state 'norm'"),
        (Clipped, "changes other subjects where one has steps that are not finite"),
        (Divided, "changes weights, or makes them NaN, at a learning rate of 0"),
        (Ascent, "does not lower the squared norm"),
    ],
)
def test_what_an_optimizer_breaks_is_named(broken: type[Optimizer], message: str) -> None:
    with pytest.raises(AssertionError, match=f"optimizer 'sign_descent' .*{message}"):
        check_optimizer(broken)


def test_a_difference_from_the_counterpart_is_named() -> None:
    with pytest.raises(AssertionError, match=r"'sgd' differs from SGD by up to .* after 20 steps"):
        check_optimizer("sgd", lambda tensors: torch.optim.SGD(tensors, lr=0.01))
