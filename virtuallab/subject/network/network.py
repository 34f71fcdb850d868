"""The network of a cohort as a rule sees it: layers, losses, noise, and a memory."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from virtuallab.subject.loss import loss_called
from virtuallab.subject.network.pathways import Transmission
from virtuallab.subject.network.population import (
    PopulationBatchNorm,
    PopulationDropout,
    PopulationLayer,
    layers_of,
)
from virtuallab.subject.network.random_streams import Streams
from virtuallab.vocabulary import CROSS_ENTROPY


class Network:
    """S subjects of one make, and what a rule keeps about them between steps.

    Parameters
    ----------
    population : nn.Module
        As :func:`virtuallab.subject.network.population.populate` makes it.
    streams : Streams
        Where a rule's noise comes from, a stream for each subject.
    length : int
        Training steps from birth to the end.
    loss : str
        Name of what the subjects minimise.

    Attributes
    ----------
    layers : dict from name to PopulationLayer
        Every weight a rule acts on, from input to output.
    parameters : list of Parameter
        Everything that learns but the backward weights.
    memory : dict from name to Tensor
        What a rule remembers; tensors are led by the subject axis.
    """

    def __init__(
        self, population: nn.Module, streams: Streams, length: int, loss: str = CROSS_ENTROPY
    ) -> None:
        self.population = population
        self.layers = dict(layers_of(population))
        self.parameters = list(population.parameters())
        self.streams = streams
        self.length = length
        self._loss = loss_called(loss)
        self.memory: dict[str, Tensor] = {}
        self._place = {id(p): i for i, p in enumerate(self.parameters)}

    @property
    def subjects(self) -> int:
        """How many subjects there are."""
        return len(self.parameters[0])

    @property
    def hidden(self) -> dict[str, PopulationLayer]:
        """All layers but the read-out."""
        return dict(list(self.layers.items())[:-1])

    @property
    def readout(self) -> PopulationLayer:
        """The last layer, whose response is the network's answer."""
        return list(self.layers.values())[-1]

    def scores(self, stimuli: Tensor) -> Tensor:
        """Show ``(batch, subject*channel, ...)``; answers ``(batch, subject, class)``."""
        answers: Tensor = self.population(stimuli)
        return answers.view(len(stimuli), self.subjects, -1)

    def losses(self, scores: Tensor, labels: Tensor) -> Tensor:
        """Loss of each sample, ``(batch, subject)``: what these subjects minimise."""
        return self._loss(scores, labels)

    @contextmanager
    def wired(self, transmission: Transmission) -> Iterator[None]:
        """Let every layer transmit in this way inside the block."""
        for layer in self.layers.values():
            layer.transmission = transmission
        try:
            yield
        finally:
            for layer in self.layers.values():
                layer.transmission = None

    def gradients(self, objective: Tensor) -> list[Tensor]:
        """Gradient of the objective's sum with respect to each parameter; zero where none."""
        found = torch.autograd.grad(objective.sum(), self.parameters, allow_unused=True)
        return [
            torch.zeros_like(p) if g is None else g
            for p, g in zip(self.parameters, found, strict=True)
        ]

    def place(self, parameter: Tensor) -> int:
        """Where a parameter lies in ``parameters``."""
        return self._place[id(parameter)]

    def remember(self, name: str, like: Tensor) -> Tensor:
        """Return what is kept under this name; zeros like the given tensor at first."""
        if name not in self.memory:
            self.memory[name] = torch.zeros_like(like)
        return self.memory[name]

    def noise_like(self, signal: Tensor) -> Tensor:
        """Independent standard normal noise for a layer's signal, from each subject's stream."""
        if signal.dim() == 3:
            return self.streams.normal(signal.shape[1:], signal)
        batch, channels, *field = signal.shape
        share = (batch, channels // self.subjects, *field)
        noise = self.streams.normal(share, signal).transpose(0, 1).flatten(1, 2)
        return noise.contiguous(memory_format=torch.channels_last)

    def scaled(self, coefficient: float | Tensor, signal: Tensor) -> Tensor:
        """Multiply a layer's signal by one number for each subject."""
        if not isinstance(coefficient, Tensor):
            return signal * coefficient
        return self.weigh_samples(signal, coefficient.unsqueeze(0).expand(self._batch(signal), -1))

    def nothing(self) -> list[Tensor]:
        """A step of zero for each parameter."""
        return [torch.zeros_like(p) for p in self.parameters]

    def _batch(self, signal: Tensor) -> int:
        return signal.shape[1] if signal.dim() == 3 else len(signal)

    def weigh_samples(self, signal: Tensor, weights: Tensor) -> Tensor:
        """Multiply each sample of a layer's signal by its own number, ``(batch, subject)``."""
        if signal.dim() == 3:
            return signal * weights.T.unsqueeze(2)
        channels = weights.repeat_interleave(signal.shape[1] // self.subjects, 1)
        return signal * channels.view(*channels.shape, 1, 1)

    def of_samples(self, signal: Tensor) -> Tensor:
        """View a layer's signal as ``(batch, subject, number)``."""
        if signal.dim() == 3:
            return signal.transpose(0, 1)
        return signal.reshape(len(signal), self.subjects, -1)

    @contextmanager
    def still(self) -> Iterator[None]:
        """Keep the normalisations' running averages as they are inside the block."""
        norms = [m for m in self.population.modules() if isinstance(m, PopulationBatchNorm)]
        momenta = [norm.momentum for norm in norms]
        for norm in norms:
            norm.momentum = 0.0
        try:
            yield
        finally:
            for norm, momentum in zip(norms, momenta, strict=True):
                norm.momentum = momentum

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Try something inside the block and be as before after it, random streams and all."""
        backward = [layer.backward_weight for layer in self.layers.values()]
        masks = [
            stream
            for module in self.population.modules()
            if isinstance(module, PopulationDropout)
            for stream in module.streams
        ]
        drawn = [stream.get_state() for stream in masks]
        buffers = [buffer.clone() for buffer in self.population.buffers()]
        memory = {name: value.clone() for name, value in self.memory.items()}
        streams, self.streams = self.streams, self.streams.apart()
        try:
            yield
        finally:
            self.streams, self.memory = streams, memory
            for buffer, before in zip(self.population.buffers(), buffers, strict=True):
                buffer.copy_(before)
            for layer, weight in zip(self.layers.values(), backward, strict=True):
                layer.backward_weight = weight
            for stream, state in zip(masks, drawn, strict=True):
                stream.set_state(state)
