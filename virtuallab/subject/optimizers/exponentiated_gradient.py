"""Exponentiated gradient descent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from virtuallab.fields import Momentum, NonNegativeFloat, PositiveFloat, setting
from virtuallab.registry import OPTIMIZERS
from virtuallab.subject.network.signals import per_subject
from virtuallab.subject.optimizer import Optimizer, State


@OPTIMIZERS.register("exponentiated_gradient")
@dataclass(frozen=True, kw_only=True)
class ExponentiatedGradient(Optimizer):
    r"""Exponentiated gradient: the size of a weight is multiplied, and its sign stays.

    .. math:: g \leftarrow g + \lambda\, \mathrm{sign}(w), \quad v \leftarrow \mu v + g, \quad
              w \leftarrow w\, e^{-\eta\, \mathrm{sign}(w)\, v}

    Mirror descent with the entropy of the weights' sizes as its potential. A change is proportional
    to the weight, so a useful learning rate is larger than that of gradient descent. Only noise can
    change a sign.

    Biases and the gains of normalisation start at 0 or 1 and are not synapses. They change as by
    gradient descent with momentum; a multiplicative update would keep a bias of 0 forever. The
    released code instead learns each bias as the sum of a positive and a negative part.

    References
    ----------
    Kivinen and Warmuth 1997, "Exponentiated Gradient versus Gradient Descent for Linear
    Predictors".
    Cornford et al. 2024, "Brain-like learning with exponentiated gradients", and the released code,
    for momentum and weight decay.
    Pogodin et al. 2024, "Synaptic Weight Distributions Depend on the Geometry of Plasticity".
    """

    learning_rate: PositiveFloat = setting(0.1, doc="Step size. Dimensionless.")
    momentum: Momentum = setting(
        0.9, doc="Share of the last step that is added to the next, 0 to 1."
    )
    weight_decay: NonNegativeFloat = setting(
        0.0, doc="Strength of the decay: sizes shrink at this rate times the learning rate."
    )

    def init(self, parameters: Sequence[torch.Tensor]) -> State:
        """Velocities of zero."""
        return {"velocity": [torch.zeros_like(p) for p in parameters]}

    def update(
        self, parameters: Sequence[torch.Tensor], steps: Sequence[torch.Tensor], state: State
    ) -> None:
        """Multiply the weights, and add to parameters with a single axis in each subject."""
        decays = bool(torch.as_tensor(self.weight_decay).any())
        for w, step, velocity in zip(parameters, steps, state["velocity"], strict=True):
            multiplied = w.dim() > 2
            pull = w.sign() if multiplied else w
            g = step + per_subject(self.weight_decay, w) * pull if decays else step
            torch.addcmul(g, velocity, per_subject(self.momentum, w), out=velocity)
            change = per_subject(-self.learning_rate, w) * velocity
            if multiplied:
                w.mul_(change.mul_(pull).exp_())
            else:
                w.add_(change)
