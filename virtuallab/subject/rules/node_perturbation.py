"""Node perturbation."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from virtuallab.fields import PositiveFloat, setting
from virtuallab.registry import RULES
from virtuallab.subject.learning.locality import ErrorReturn, Need, Objective
from virtuallab.subject.learning.perturbation import PerturbedPass
from virtuallab.subject.network.network import Network
from virtuallab.subject.rule import GradientAngle, Rule, Updates


@RULES.register("node_perturbation")
@dataclass(frozen=True, kw_only=True)
class NodePerturbation(Rule):
    r"""Node perturbation: disturb every neuron, and follow the noise that lowered the loss.

    .. math:: \tilde z = z + \sigma\xi, \qquad
              \Delta W \propto -\tfrac1\sigma (\tilde L - L)\, x\, \xi

    for each image, with the loss of a second, undisturbed pass as the baseline. On average over the
    noise this is the gradient, for small :math:`\sigma`; its variance grows with the number of
    neurons. Local except for two quantities that the whole network shares: that second pass, and
    one number for each image. Not to be confused with weight perturbation, whose variance grows
    with the number of synapses. Scale and offset of normalisations keep their initial values.

    References
    ----------
    Williams 1992, "Simple statistical gradient-following algorithms for connectionist reinforcement
    learning". Fiete and Seung 2006, "Gradient learning in spiking neural networks by dynamic
    perturbation of conductances".
    """

    needs = (Need.INPUT, Need.NEURON_NOISE, Need.PAIRED_PASS, Need.IMAGE_LOSS)
    gradient_angle = GradientAngle(initial=(80.0, 90.0), trained=(72.0, 88.0))
    error_return = ErrorReturn.PERTURBATION
    objective = Objective.SUPERVISED
    needs_own_loss = True
    allows_mixed_precision = False

    noise_std: PositiveFloat = setting(
        0.01,
        unit="units of the linear response",
        doc="Standard deviation of the disturbance of each neuron's linear response.",
    )

    def compute_updates(
        self, network: Network, stimuli: torch.Tensor, labels: torch.Tensor, step: int
    ) -> Updates:
        """Steps from two passes, one of them disturbed."""
        with torch.no_grad():
            losses = network.losses(network.scores(stimuli), labels)
            with network.frozen_running_averages():
                trial = PerturbedPass(network, self.noise_std, stimuli)
            worse = network.losses(trial.scores, labels) - losses
            return Updates(losses.mean(0), trial.correlate(worse / self.noise_std / len(stimuli)))
