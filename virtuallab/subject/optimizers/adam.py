"""Adam."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch

from virtuallab.fields import Momentum, NonNegativeFloat, PositiveFloat, setting
from virtuallab.registry import OPTIMIZERS
from virtuallab.subject.network.signals import spread
from virtuallab.subject.optimizer import Optimizer, State


@OPTIMIZERS.register("adam")
@dataclass(frozen=True, kw_only=True)
class Adam(Optimizer):
    r"""Adam: steps scaled by running averages of the gradient and of its square.

    .. math:: w \leftarrow w - \eta\,
              \frac{m / (1 - \beta_1^t)}{\sqrt{v / (1 - \beta_2^t)} + \epsilon}

    The same numbers as ``torch.optim.Adam``, with settings of its own for each subject.

    References
    ----------
    Kingma and Ba 2015, "Adam: A Method for Stochastic Optimization".
    """

    learning_rate: PositiveFloat = setting(1e-3, doc="Step size. Dimensionless.")
    beta1: Momentum = setting(0.9, doc="Memory of the running mean of gradients, 0 to 1.")
    beta2: Momentum = setting(0.999, doc="Memory of the running mean of their squares, 0 to 1.")
    epsilon: PositiveFloat = setting(
        1e-8, unit="units of the gradient", doc="Keeps the division finite."
    )
    weight_decay: NonNegativeFloat = setting(0.0, doc="Strength of the pull to zero.")

    def init(self, parameters: Sequence[torch.Tensor]) -> State:
        """No averages yet."""
        return moments(parameters)

    def update(
        self, parameters: Sequence[torch.Tensor], steps: Sequence[torch.Tensor], state: State
    ) -> None:
        """One step along the gradient and the pull to zero."""
        if bool(torch.as_tensor(self.weight_decay).any()):
            decays = zip(parameters, steps, strict=True)
            steps = [step + spread(self.weight_decay, w) * w for w, step in decays]
        adaptive_step(self, parameters, steps, state)


@runtime_checkable
class Adaptive(Protocol):
    """The settings of an adaptive step."""

    @property
    def learning_rate(self) -> float:
        """Step size."""

    @property
    def beta1(self) -> float:
        """Memory of the mean."""

    @property
    def beta2(self) -> float:
        """Memory of the mean square."""

    @property
    def epsilon(self) -> float:
        """Keeps the division finite."""


def moments(parameters: Sequence[torch.Tensor]) -> State:
    """Running averages before the first step."""
    return {
        "step": 0,
        "mean": [torch.zeros_like(p) for p in parameters],
        "square": [torch.zeros_like(p) for p in parameters],
    }


def adaptive_step(
    by: Adaptive, parameters: Sequence[torch.Tensor], steps: Sequence[torch.Tensor], state: State
) -> None:
    """One step in place, corrected for the averages' start at zero."""
    state["step"] += 1
    size = by.learning_rate / (1 - by.beta1 ** state["step"])
    root = (1 - by.beta2 ** state["step"]) ** 0.5
    for w, g, mean, square in zip(parameters, steps, state["mean"], state["square"], strict=True):
        mean.lerp_(g, spread(1 - by.beta1, w))
        square.lerp_(g.square(), spread(1 - by.beta2, w))
        scale = square.sqrt().div_(spread(root * size, w)).add_(spread(by.epsilon / size, w))
        w.addcdiv_(mean, scale, value=-1)
