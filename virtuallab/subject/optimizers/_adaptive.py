"""Base class of Adam and its variants."""

from __future__ import annotations

from abc import ABC
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from virtuallab.fields import Momentum, PositiveFloat, setting
from virtuallab.subject.network.signals import per_subject
from virtuallab.subject.optimizer import Optimizer, State


@dataclass(frozen=True, kw_only=True)
class AdaptiveOptimizer(Optimizer, ABC):
    """Optimizer with steps scaled by running averages of the gradient and of its square."""

    learning_rate: PositiveFloat = setting(1e-3, doc="Step size. Dimensionless.")
    beta1: Momentum = setting(0.9, doc="Memory of the running mean of gradients, 0 to 1.")
    beta2: Momentum = setting(0.999, doc="Memory of the running mean of their squares, 0 to 1.")
    epsilon: PositiveFloat = setting(
        1e-8, unit="units of the gradient", doc="Keeps the division finite."
    )

    def init(self, parameters: Sequence[torch.Tensor]) -> State:
        """Running averages of zero."""
        mean, square = ([torch.zeros_like(p) for p in parameters] for _ in range(2))
        return {"step": 0, "mean": mean, "square": square}

    def adaptive_step(
        self, parameters: Sequence[torch.Tensor], steps: Sequence[torch.Tensor], state: State
    ) -> None:
        """Change parameters and state in place, corrected for the averages' start at zero."""
        state["step"] += 1
        size = self.learning_rate / (1 - self.beta1 ** state["step"])
        root = (1 - self.beta2 ** state["step"]) ** 0.5
        divisor = root * size
        if isinstance(divisor, torch.Tensor):
            # At a learning rate of 0, with which some schedules begin, epsilon / size is infinite,
            # so that no weight changes. The bound keeps a gradient of 0 from becoming 0 / 0.
            divisor = divisor.clamp(min=torch.finfo(divisor.dtype).tiny)
        averages = zip(parameters, steps, state["mean"], state["square"], strict=True)
        for w, g, mean, square in averages:
            mean.lerp_(g, per_subject(1 - self.beta1, w))
            square.lerp_(g.square(), per_subject(1 - self.beta2, w))
            scale = square.sqrt().div_(per_subject(divisor, w))
            w.addcdiv_(mean, scale.add_(per_subject(self.epsilon / size, w)), value=-1)
