"""Adam with decoupled weight decay."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from virtuallab.fields import NonNegativeFloat, setting
from virtuallab.registry import OPTIMIZERS
from virtuallab.subject.network.signals import per_subject
from virtuallab.subject.optimizer import State
from virtuallab.subject.optimizers._adaptive import AdaptiveOptimizer


@OPTIMIZERS.register("adamw")
@dataclass(frozen=True, kw_only=True)
class AdamW(AdaptiveOptimizer):
    r"""Adam with weight decay that is separate from the adaptive step.

    .. math:: w \leftarrow (1 - \eta\lambda)\, w - \eta\,
              \frac{m / (1 - \beta_1^t)}{\sqrt{v / (1 - \beta_2^t)} + \epsilon}

    The same numbers as ``torch.optim.AdamW``, with settings of its own for each subject. Not to be
    confused with Adam, which averages the decay with the gradient.

    References
    ----------
    Loshchilov and Hutter 2019, "Decoupled Weight Decay Regularization".
    """

    weight_decay: NonNegativeFloat = setting(0.01, doc="Strength of the decay.")

    def update(
        self, parameters: Sequence[torch.Tensor], steps: Sequence[torch.Tensor], state: State
    ) -> None:
        """Decay the weights, then take one adaptive step."""
        if self.decays:
            for w in parameters:
                w.mul_(1 - per_subject(self.learning_rate * self.weight_decay, w))
        self.adaptive_step(parameters, steps, state)
