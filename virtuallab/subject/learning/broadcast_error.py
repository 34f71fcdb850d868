"""Rules that send one signal from the output to every hidden layer directly."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch

from virtuallab.fields import PositiveFloat, setting
from virtuallab.subject.network.layer import PopulationLayer
from virtuallab.subject.network.network import Network
from virtuallab.subject.network.pathways import FeedbackPathway
from virtuallab.subject.network.signals import join_subjects, scale, unit_shape
from virtuallab.subject.rule import Rule, Updates


@dataclass(frozen=True, kw_only=True)
class BroadcastError(Rule, ABC):
    """Fixed random weights carry one number per class to the units below each layer.

    The signal arrives at the input of the next layer, and continues to the layer's linear response
    through the nonlinearity, pooling and normalisation between them, which are differentiated
    exactly. Where branches of a network join, each of the layers above sends its share.
    """

    gain: PositiveFloat = setting(
        1.0, doc="Standard deviation of the broadcast weights, times the root of classes."
    )

    @abstractmethod
    def signal(
        self, scores: torch.Tensor, error: torch.Tensor, labels: torch.Tensor
    ) -> torch.Tensor:
        """Signal to broadcast, ``(batch, subject, class)``, in the units of an error.

        Parameters
        ----------
        scores : Tensor, (batch, subject, class)
        error : Tensor, (batch, subject, class)
            Gradient of each subject's mean loss with respect to its scores.
        labels : Tensor, (batch, subject)
        """

    def compute_updates(
        self, network: Network, stimuli: torch.Tensor, labels: torch.Tensor, step: int
    ) -> Updates:
        """Run forward; the read-out learns from its error, all else from the broadcast signal."""
        broadcast: list[torch.Tensor] = []

        def send(layer: PopulationLayer, _: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
            return self._arriving(network, layer, broadcast[0], x)

        with network.using(FeedbackPathway(record=False, send=send)):
            scores = network.scores(stimuli)
        losses = network.losses(scores, labels).mean(0)
        (error,) = torch.autograd.grad(losses.sum(), scores, retain_graph=True)
        broadcast.append(self.signal(scores.detach(), error, labels))
        return Updates(losses.detach(), network.gradients(losses))

    def _arriving(
        self, network: Network, layer: PopulationLayer, signal: torch.Tensor, x: torch.Tensor
    ) -> torch.Tensor:
        """Signal at a layer's input ``x``, in its layout."""
        units, classes = unit_shape(x, network.subjects), signal.shape[2]
        name = f"broadcast to layer {network.index_of(layer.weight)}"
        if name not in network.memory:
            drawn = network.streams.fixed_normal(name, (classes, *units), x).flatten(2)
            network.memory[name] = drawn / classes**0.5
        sent = torch.bmm(signal.transpose(0, 1), scale(self.gain, network.memory[name]))
        return join_subjects(sent.view(*sent.shape[:2], *units))
