"""Adam."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from virtuallab.fields import NonNegativeFloat, setting
from virtuallab.registry import OPTIMIZERS
from virtuallab.subject.network.signals import per_subject
from virtuallab.subject.optimizer import State
from virtuallab.subject.optimizers._adaptive import AdaptiveOptimizer


@OPTIMIZERS.register("adam")
@dataclass(frozen=True, kw_only=True)
class Adam(AdaptiveOptimizer):
    r"""Adam: steps scaled by running averages of the gradient and of its square.

    .. math:: w \leftarrow w - \eta\,
              \frac{m / (1 - \beta_1^t)}{\sqrt{v / (1 - \beta_2^t)} + \epsilon}

    The same numbers as ``torch.optim.Adam``, with settings of its own for each subject.

    References
    ----------
    Kingma and Ba 2015, "Adam: A Method for Stochastic Optimization".
    """

    weight_decay: NonNegativeFloat = setting(0.0, doc="Strength of the pull to zero.")

    def update(
        self, parameters: Sequence[torch.Tensor], steps: Sequence[torch.Tensor], state: State
    ) -> None:
        """Take one adaptive step along the gradient plus the weight decay."""
        if self.decays:
            decays = zip(parameters, steps, strict=True)
            steps = [step + per_subject(self.weight_decay, w) * w for w, step in decays]
        self.adaptive_step(parameters, steps, state)
