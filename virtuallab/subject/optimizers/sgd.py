"""Stochastic gradient descent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from virtuallab.fields import Momentum, NonNegativeFloat, PositiveFloat, setting
from virtuallab.registry import OPTIMIZERS
from virtuallab.subject.network.signals import per_subject
from virtuallab.subject.optimizer import Optimizer, State


@OPTIMIZERS.register("sgd")
@dataclass(frozen=True, kw_only=True)
class SGD(Optimizer):
    r"""Stochastic gradient descent with momentum.

    .. math:: g \leftarrow g + \lambda w, \quad v \leftarrow \mu v + g, \quad
              w \leftarrow w - \eta v

    The same numbers as ``torch.optim.SGD``, with settings of its own for each subject.

    References
    ----------
    Sutskever et al. 2013, "On the importance of initialization and momentum in deep learning".
    """

    learning_rate: PositiveFloat = setting(0.01, doc="Step size. Dimensionless.")
    momentum: Momentum = setting(
        0.9, doc="Share of the last step that is added to the next, 0 to 1."
    )
    nesterov: bool = setting(False, doc="Whether to use Nesterov's momentum.")
    weight_decay: NonNegativeFloat = setting(0.0, doc="Strength of the pull to zero.")

    def init(self, parameters: Sequence[torch.Tensor]) -> State:
        """Velocities of zero."""
        return {"velocity": [torch.zeros_like(p) for p in parameters]}

    def update(
        self, parameters: Sequence[torch.Tensor], steps: Sequence[torch.Tensor], state: State
    ) -> None:
        """Take one step with momentum."""
        views: dict[int, tuple[torch.Tensor, torch.Tensor]] = {}  # by the number of axes
        for w, step, velocity in zip(parameters, steps, state["velocity"], strict=True):
            if w.dim() not in views:
                views[w.dim()] = per_subject(self.momentum, w), per_subject(self.learning_rate, w)
            momentum, rate = views[w.dim()]
            g = step + per_subject(self.weight_decay, w) * w if self.decays else step
            torch.addcmul(g, velocity, momentum, out=velocity)  # one pass through memory
            moved = torch.addcmul(g, momentum, velocity) if self.nesterov else velocity
            w.addcmul_(rate, moved, value=-1)
