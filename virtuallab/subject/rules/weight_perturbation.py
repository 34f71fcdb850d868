"""Weight perturbation."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from virtuallab.fields import PositiveFloat, setting
from virtuallab.registry import RULES
from virtuallab.subject.learning.locality import ErrorReturn, Need, Objective
from virtuallab.subject.network.network import Network
from virtuallab.subject.network.signals import per_subject
from virtuallab.subject.rule import GradientAngle, Rule, Updates


@RULES.register("weight_perturbation")
@dataclass(frozen=True, kw_only=True)
class WeightPerturbation(Rule):
    r"""Weight perturbation: disturb every synapse, and follow the noise that lowered the loss.

    .. math:: \Delta W \propto -\tfrac1\sigma \left( L(W + \sigma\Xi) - L(W) \right) \Xi

    with the mean loss of a batch. On average over the noise this is the gradient, for small
    :math:`\sigma`; its variance grows with the number of parameters, so it learns slowly. Biases
    and normalisations are disturbed too. Local except for two quantities that the whole network
    shares: an undisturbed pass of the same batch, and one number for the batch.

    References
    ----------
    Jabri and Flower 1992, "Weight perturbation: an optimal architecture and learning technique for
    analog VLSI feedforward and recurrent multilayer networks".
    """

    needs = (Need.OWN_NOISE, Need.PAIRED_PASS, Need.BATCH_LOSS)
    gradient_angle = GradientAngle(initial=(85.0, 90.0))
    error_return = ErrorReturn.PERTURBATION
    objective = Objective.SUPERVISED
    allows_mixed_precision = False

    noise_std: PositiveFloat = setting(
        1e-3,
        unit="units of the weights",
        doc="Standard deviation of the disturbance of each parameter.",
    )

    def compute_updates(
        self, network: Network, stimuli: torch.Tensor, labels: torch.Tensor, step: int
    ) -> Updates:
        """Steps from two passes, one with disturbed weights."""
        with torch.no_grad():
            losses = network.losses(network.scores(stimuli), labels).mean(0)
            before = [p.clone() for p in network.parameters]
            noise = [network.streams.normal(p.shape[1:], p) for p in before]
            for p, each in zip(network.parameters, noise, strict=True):
                p.add_(each * per_subject(self.noise_std, each))
            with network.frozen_running_averages():
                worse = network.losses(network.scores(stimuli), labels).mean(0) - losses
            for p, value in zip(network.parameters, before, strict=True):
                p.copy_(value)
            size = worse / self.noise_std
            return Updates(losses, [each * per_subject(size, each) for each in noise])
