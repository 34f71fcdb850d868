"""Family of rules that send one signal from the output directly to every hidden layer."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch

from virtuallab.fields import PositiveFloat, setting
from virtuallab.subject.learning.locality import ErrorReturn, Objective
from virtuallab.subject.network.layer import PopulationLayer
from virtuallab.subject.network.network import Network
from virtuallab.subject.network.pathways import FeedbackPathway
from virtuallab.subject.network.signals import join_subjects, scale, unit_shape
from virtuallab.subject.rule import Rule, Updates


@dataclass(frozen=True, kw_only=True)
class BroadcastError(Rule, ABC):
    """Rule that sends one number per class through fixed random weights to each layer's input.

    From the input of a layer the signal continues to the linear response of the layer below it
    through the nonlinearity, pooling and normalisation between them, which are differentiated
    exactly. If a response is the input of several layers, their signals add up.
    """

    error_return = ErrorReturn.BROADCAST
    objective = Objective.SUPERVISED

    gain: PositiveFloat = setting(
        1.0,
        doc="Standard deviation of the broadcast weights, times the square root of the number of "
        "classes.",
    )

    @abstractmethod
    def signal(
        self, scores: torch.Tensor, error: torch.Tensor, labels: torch.Tensor
    ) -> torch.Tensor:
        """Signal to broadcast, ``(batch, subject, class)``, in units of the error.

        ``error`` is the gradient of each subject's mean loss with respect to its ``scores``.
        """

    def compute_updates(
        self, network: Network, stimuli: torch.Tensor, labels: torch.Tensor, step: int
    ) -> Updates:
        """Updates of the read-out by its error and of the other layers by the broadcast signal."""
        broadcast: list[torch.Tensor] = []

        def send(layer: PopulationLayer, _: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
            return self._signal_at_input(network, layer, broadcast[0], x)

        with network.using(FeedbackPathway(record=False, send=send)):
            scores = network.scores(stimuli)
        losses = network.losses(scores, labels).mean(0)
        error = network.output_error(losses, scores)
        broadcast.append(self.signal(scores.detach(), error, labels))
        return Updates(losses.detach(), network.gradients(losses))

    def _signal_at_input(
        self, network: Network, layer: PopulationLayer, signal: torch.Tensor, x: torch.Tensor
    ) -> torch.Tensor:
        """Signal at a layer's input ``x``, in its layout."""
        units, classes = unit_shape(x, network.subjects), signal.shape[2]
        name = f"broadcast to layer {network.index_of(layer.weight)}"
        if name not in network.memory:
            weights = network.streams.fixed_normal(name, (classes, *units), x).flatten(2)
            network.memory[name] = weights / classes**0.5
        sent = torch.bmm(signal.transpose(0, 1), scale(self.gain, network.memory[name]))
        return join_subjects(sent.view(*sent.shape[:2], *units))
