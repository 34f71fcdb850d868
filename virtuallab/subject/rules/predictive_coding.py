"""Predictive coding."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from virtuallab.fields import Count, PositiveFloat, setting
from virtuallab.registry import RULES
from virtuallab.subject.learning.locality import ErrorReturn, Need, Objective
from virtuallab.subject.network.layer import PopulationLayer
from virtuallab.subject.network.network import Network
from virtuallab.subject.network.pathways import ValueNode
from virtuallab.subject.rule import GradientAngle, Rule, Updates


@RULES.register("predictive_coding")
@dataclass(frozen=True, kw_only=True)
class PredictiveCoding(Rule):
    r"""Predictive coding: activity relaxes to lower all prediction errors, then weights change.

    The input of every layer is replaced by value units :math:`v`. With :math:`f_l` for everything
    between two layers, the energy

    .. math:: E = \sum_l \tfrac12 \lVert v_l - f_l(W_{l-1} v_{l-1}) \rVert^2 + L(v_{out}, y)

    is lowered by the values for some steps of inference, from values at which only the output has
    an error. Then each weight follows :math:`-\partial E / \partial W_l`, the product of its input
    and the prediction error above it. The loss of the task replaces a clamped output. Its
    plasticity is local; errors reach the values through the transposed weights.

    References
    ----------
    Rao and Ballard 1999, "Predictive coding in the visual cortex".
    Whittington and Bogacz 2017, "An Approximation of the Error Backpropagation Algorithm in a
    Predictive Coding Network with Local Hebbian Synaptic Plasticity".
    """

    needs = (Need.INPUT, Need.PREDICTION_ERROR, Need.RELAXATION, Need.FORWARD_WEIGHTS)
    gradient_angle = GradientAngle(initial=(7.0, 14.0), trained=(8.0, 15.0))
    error_return = ErrorReturn.FORWARD_WEIGHTS
    objective = Objective.SUPERVISED
    allows_mixed_precision = False

    inference_steps: Count = setting(
        8, unit="steps of inference", doc="Steps of relaxation for each batch."
    )
    inference_rate: PositiveFloat = setting(0.2, doc="Size of a step of relaxation.")

    def compute_updates(
        self, network: Network, stimuli: torch.Tensor, labels: torch.Tensor, step: int
    ) -> Updates:
        """Steps that lower the prediction errors after relaxation."""
        first = ValueNode({})
        with torch.no_grad(), network.using(first):
            losses = network.losses(network.scores(stimuli), labels).mean(0)
        layers = list(network.layers.values())[1:]
        values = {layer: first.inputs[layer].detach().requires_grad_() for layer in layers}
        with network.frozen_running_averages():
            for _ in range(self.inference_steps):
                energy = self._energy(network, values, stimuli, labels)
                slopes = torch.autograd.grad(energy.sum(), list(values.values()))
                with torch.no_grad():
                    for value, slope in zip(values.values(), slopes, strict=True):
                        value -= network.scale(self.inference_rate, slope)
            energy = self._energy(network, values, stimuli, labels)
            return Updates(losses, network.gradients(energy / len(stimuli)))

    def _energy(
        self,
        network: Network,
        values: dict[PopulationLayer, torch.Tensor],
        stimuli: torch.Tensor,
        labels: torch.Tensor,
    ) -> torch.Tensor:
        """Energy of each sample, ``(batch, subject)``."""
        pathway = ValueNode(values)
        with network.using(pathway):
            energy = network.losses(network.scores(stimuli), labels)
        for layer, value in values.items():
            surprise = (value - pathway.inputs[layer]).square() / 2
            energy = energy + network.by_sample(surprise).sum(2)
        return energy
