"""Rules that send one signal from the output to every hidden layer directly."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from virtuallab.fields import PositiveFloat, setting
from virtuallab.subject.network.pathways import Through
from virtuallab.subject.network.signals import spread
from virtuallab.subject.rule import Lesson, Rule

if TYPE_CHECKING:
    from virtuallab.subject.network.network import Network
    from virtuallab.subject.network.population import PopulationLayer


@dataclass(frozen=True, kw_only=True)
class BroadcastError(Rule, ABC):
    """Fixed random weights carry a signal of one number a class to the units below each layer.

    The signal arrives at what the next layer reads, and goes on from there to the layer's linear
    response through its own nonlinearity, pooling and normalisation, which are differentiated
    exactly. Where branches of a network join, each of the layers above sends its share.
    """

    gain: PositiveFloat = setting(
        1.0, doc="Standard deviation of the broadcast weights, times the root of classes."
    )

    @abstractmethod
    def signal(
        self, scores: torch.Tensor, error: torch.Tensor, labels: torch.Tensor
    ) -> torch.Tensor:
        """Return what is broadcast, ``(batch, subject, class)``, in the units of an error.

        Parameters
        ----------
        scores : Tensor, (batch, subject, class)
        error : Tensor, (batch, subject, class)
            Gradient of each subject's mean loss with respect to its scores.
        labels : Tensor, (batch, subject)
        """

    def lesson(
        self, network: Network, stimuli: torch.Tensor, labels: torch.Tensor, step: int
    ) -> Lesson:
        """Run forward; the read-out learns from its error, all else from what is broadcast."""
        broadcast: list[torch.Tensor] = []

        def send(layer: PopulationLayer, _: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
            return self._arrive(network, layer, broadcast[0], x)

        with network.wired(Through(noting=False, send=send)):
            scores = network.scores(stimuli)
        losses = network.losses(scores, labels).mean(0)
        (error,) = torch.autograd.grad(losses.sum(), scores, retain_graph=True)
        broadcast.append(self.signal(scores.detach(), error, labels))
        return Lesson(losses.detach(), network.gradients(losses))

    def _arrive(
        self, network: Network, layer: PopulationLayer, signal: torch.Tensor, x: torch.Tensor
    ) -> torch.Tensor:
        """What reaches a layer's input ``x``, in its layout."""
        dense = x.dim() == 3
        units = x.shape[2:] if dense else (x.shape[1] // network.subjects, *x.shape[2:])
        name = f"broadcast to layer {network.place(layer.weight)}"
        if name not in network.memory:
            drawn = network.streams.once(name, (signal.shape[2], *units), x).flatten(2)
            network.memory[name] = drawn / signal.shape[2] ** 0.5
        weight = network.memory[name]
        sent = torch.bmm(signal.transpose(0, 1), weight * spread(self.gain, weight))
        if dense:
            return sent
        by_channel = sent.view(*sent.shape[:2], *units).transpose(0, 1).flatten(1, 2)
        return by_channel.contiguous(memory_format=torch.channels_last)
