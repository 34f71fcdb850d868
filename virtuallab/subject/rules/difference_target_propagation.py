"""Difference target propagation."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import torch

from virtuallab.fields import PositiveFloat, setting
from virtuallab.registry import RULES
from virtuallab.subject.learning.locality import ErrorReturn, Need, Objective
from virtuallab.subject.network.layer import PopulationLayer
from virtuallab.subject.network.network import Network
from virtuallab.subject.network.pathways import DetachedInput, ValueNode
from virtuallab.subject.network.precision import full_precision, operands, promoted
from virtuallab.subject.network.signals import per_subject
from virtuallab.subject.rule import GradientAngle, Rule, Updates


@RULES.register("difference_target_propagation")
@dataclass(frozen=True, kw_only=True)
class DifferenceTargetPropagation(Rule):
    r"""Difference target propagation: each layer gets a target through a learned inverse.

    With :math:`h_l` the activity that layer :math:`l` passes on and an inverse
    :math:`g_l(h) = [h B_l]_+`,

    .. math:: t_{l-1} = h_{l-1} + g_l(t_l) - g_l(h_l), \qquad
              \Delta W_l \propto -\frac1\beta \frac{\partial}{\partial W_l}
              \tfrac12 \lVert h_l - t_l \rVert^2

    from the output's target, its scores less :math:`\beta` times the gradient of the loss. The
    inverses learn to reconstruct disturbed activity, :math:`g_l(f_l(h + \sigma\xi)) \approx h +
    \sigma\xi`. Local except for that second, disturbed pass. For dense layers only, since an
    inverse of pooling would need a model of its own. Information alignment is a linear version.

    References
    ----------
    Lee et al. 2015, "Difference Target Propagation".
    Meulemans et al. 2020, "A Theoretical Framework for Target Propagation".
    """

    needs = (Need.INPUT, Need.RESPONSE, Need.TARGET, Need.DISTURBED_PASS)
    gradient_angle = GradientAngle(initial=(86.0, 98.0), trained=(58.0, 75.0))
    error_return = ErrorReturn.LEARNED_WEIGHTS
    objective = Objective.SUPERVISED
    feedback = True
    dense_only = True

    nudge: PositiveFloat = setting(
        0.5, doc="Distance of the output's target from the scores, in gradients of the loss."
    )
    noise_std: PositiveFloat = setting(
        0.1,
        unit="units of the activity",
        doc="Standard deviation of the disturbance that the inverses learn to reconstruct.",
    )
    inverse_rate: PositiveFloat = setting(
        1.0, doc="Size of the inverses' steps, relative to the forward weights'."
    )

    @property
    def learns_feedback(self) -> bool:
        """True: the inverses learn."""
        return True

    def compute_updates(
        self, network: Network, stimuli: torch.Tensor, labels: torch.Tensor, step: int
    ) -> Updates:
        """Steps toward each layer's target, and of the inverses."""
        pathway = DetachedInput()
        with network.using(pathway):
            scores = network.scores(stimuli)
        losses = network.losses(scores, labels)
        slope = network.output_error(losses, scores)
        layers = list(network.layers.values())
        target = (scores - per_subject(self.nudge, slope[0]) * slope).transpose(0, 1).detach()
        activity = scores.transpose(0, 1).detach()
        objective = losses.mean(0)
        for layer in reversed(layers[1:]):
            below = pathway.inputs[layer]
            with torch.no_grad():
                change = self._inverse(layer, target) - self._inverse(layer, activity)
                target, activity = below.detach() + change, below.detach()
            distance = (below - target).square().sum(2) / 2
            objective = objective + distance.mean(1) / self.nudge
        gradients = network.gradients(objective)
        values = {layer: pathway.inputs[layer].detach() for layer in layers}
        with torch.no_grad():
            return Updates(
                losses.detach().mean(0), gradients, self._inverse_steps(network, values, stimuli)
            )

    def _inverse(self, layer: PopulationLayer, activity: torch.Tensor) -> torch.Tensor:
        assert layer.backward_weight is not None
        with full_precision(activity):  # targets are small differences of what inverses return
            return torch.relu(torch.bmm(promoted(activity), layer.backward_weight))

    def _inverse_steps(
        self, network: Network, values: dict[PopulationLayer, torch.Tensor], stimuli: torch.Tensor
    ) -> list[torch.Tensor]:
        """Gradient of each inverse's reconstruction error; the first layer's is never used."""
        tried = {
            layer: value + network.scale(self.noise_std, network.noise_like(value))
            for layer, value in values.items()
        }
        pathway = ValueNode(tried)
        with network.frozen_running_averages(), network.using(pathway):
            scores = network.scores(stimuli)
        layers = list(network.layers.values())
        above = {low: pathway.inputs[high] for low, high in pairwise(layers)}
        above[layers[-1]] = scores.transpose(0, 1)
        steps = [torch.zeros_like(layers[0].weight)]
        for layer in layers[1:]:
            rebuilt = self._inverse(layer, above[layer])
            surprise = (rebuilt - tried[layer]) * (rebuilt > 0) / len(stimuli)
            surprise = network.scale(self.inverse_rate, surprise)
            step = torch.bmm(*operands(above[layer].transpose(1, 2), surprise))
            steps.append(step.to(layer.weight.dtype))
        return steps
