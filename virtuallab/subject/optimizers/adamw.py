"""Adam with decoupled weight decay."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from virtuallab.fields import Momentum, NonNegativeFloat, PositiveFloat, setting
from virtuallab.registry import OPTIMIZERS
from virtuallab.subject.network.signals import spread
from virtuallab.subject.optimizer import Optimizer, State
from virtuallab.subject.optimizers.adam import adaptive_step, moments


@OPTIMIZERS.register("adamw")
@dataclass(frozen=True, kw_only=True)
class AdamW(Optimizer):
    r"""Adam whose weights decay apart from the adaptive step.

    .. math:: w \leftarrow (1 - \eta\lambda)\, w - \eta\,
              \frac{m / (1 - \beta_1^t)}{\sqrt{v / (1 - \beta_2^t)} + \epsilon}

    The same numbers as ``torch.optim.AdamW``, with settings of its own for each subject. Not to be
    confused with Adam, which averages the decay with the gradient.

    References
    ----------
    Loshchilov and Hutter 2019, "Decoupled Weight Decay Regularization".
    """

    learning_rate: PositiveFloat = setting(1e-3, doc="Step size. Dimensionless.")
    beta1: Momentum = setting(0.9, doc="Memory of the running mean of gradients, 0 to 1.")
    beta2: Momentum = setting(0.999, doc="Memory of the running mean of their squares, 0 to 1.")
    epsilon: PositiveFloat = setting(
        1e-8, unit="units of the gradient", doc="Keeps the division finite."
    )
    weight_decay: NonNegativeFloat = setting(0.01, doc="Strength of the decay.")

    def init(self, parameters: Sequence[torch.Tensor]) -> State:
        """No averages yet."""
        return moments(parameters)

    def update(
        self, parameters: Sequence[torch.Tensor], steps: Sequence[torch.Tensor], state: State
    ) -> None:
        """Decay, then one adaptive step."""
        if bool(torch.as_tensor(self.weight_decay).any()):
            for w in parameters:
                w.mul_(1 - spread(self.learning_rate * self.weight_decay, w))
        adaptive_step(self, parameters, steps, state)
