"""Network of a cohort, on which rules compute updates: layers, losses, noise and memory."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from virtuallab.registry import LOSSES
from virtuallab.subject.loss import Loss
from virtuallab.subject.network import signals
from virtuallab.subject.network.layer import Pathway, PopulationLayer, layers_of
from virtuallab.subject.network.pathways import FeedbackPathway
from virtuallab.subject.network.precision import full_precision, promoted
from virtuallab.subject.network.random_streams import RandomStreams
from virtuallab.vocabulary import CROSS_ENTROPY


class Network:
    """Networks of all subjects of a cohort, with the tensors that a rule keeps between steps.

    Parameters
    ----------
    population : nn.Module
        As :func:`virtuallab.subject.network.population.populate` returns it.
    streams : RandomStreams
        Source of the rule's noise.
    total_steps : int
        Training steps of the whole training.
    loss : Loss
        What the subjects minimise; by default cross-entropy.

    Attributes
    ----------
    layers : dict from name to PopulationLayer
        All layers with weights, from input to output.
    parameters : list of Parameter
        All parameters except the backward weights.
    memory : dict from name to Tensor
        Tensors that a rule keeps between steps; the first axis is subjects.
    """

    def __init__(
        self,
        population: torch.nn.Module,
        streams: RandomStreams,
        total_steps: int,
        loss: Loss | None = None,
    ) -> None:
        self.population = population
        self.layers = dict(layers_of(population))
        self.parameters = list(population.parameters())
        self.streams = streams
        self.total_steps = total_steps
        self._loss: Loss = LOSSES[CROSS_ENTROPY]() if loss is None else loss
        self.memory: dict[str, torch.Tensor] = {}
        from virtuallab.subject.network.chain import Chain  # it imports layers of torch

        self._chain = Chain.of(population, len(self.parameters[0]))
        self._index = {id(p): i for i, p in enumerate(self.parameters)}

    @property
    def subjects(self) -> int:
        """Number of subjects."""
        return len(self.parameters[0])

    @property
    def hidden(self) -> dict[str, PopulationLayer]:
        """All layers except the read-out."""
        return dict(list(self.layers.items())[:-1])

    @property
    def readout(self) -> PopulationLayer:
        """The last layer, whose response is the network's output."""
        return list(self.layers.values())[-1]

    def scores(self, stimuli: torch.Tensor) -> torch.Tensor:
        """Scores ``(batch, subject, class)`` of stimuli ``(batch, subject*channel, ...)``."""
        outputs = promoted(self.population(stimuli))
        return outputs.view(len(stimuli), self.subjects, -1)

    def losses(self, scores: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """Loss of each sample, ``(batch, subject)``."""
        with full_precision(scores):
            return self._loss(scores, targets)

    def gradients(self, objective: torch.Tensor) -> list[torch.Tensor]:
        """Gradient of the objective's sum for each parameter; zeros where it does not depend."""
        with full_precision(objective):  # each operation returns in the precision it was made in
            gradients = torch.autograd.grad(
                objective.sum(), self.parameters, allow_unused=True, materialize_grads=True
            )
        return list(gradients)

    def output_error(self, losses: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        """Gradient of the sum of losses for the scores; torch's graph is kept."""
        with full_precision(losses):
            (error,) = torch.autograd.grad(losses.sum(), scores, retain_graph=True)
        return error

    def loss_and_gradients(
        self,
        stimuli: torch.Tensor,
        targets: torch.Tensor,
        pathway: FeedbackPathway | None = None,
    ) -> tuple[torch.Tensor, list[torch.Tensor]]:
        """Mean loss of each subject, and its gradient by the error that returns on a pathway.

        Parameters
        ----------
        stimuli : Tensor, (batch, subject*channel, ...)
        targets : Tensor
            As the loss receives them.
        pathway : FeedbackPathway, optional
            Its traces are filled. By default, the error returns through the forward weights.

        Returns
        -------
        losses : Tensor, (subject,)
        gradients : list of Tensor
            For each of the ``parameters``.
        """
        if self._chain is None:
            with self.using(pathway):
                losses = self.losses(self.scores(stimuli), targets).mean(0)
            return losses.detach(), self.gradients(losses)
        with torch.no_grad():
            scores, backward = self._chain.scores(stimuli, pathway)
            with full_precision(scores):
                losses, error = self._loss.with_error(scores, targets)
                found = backward(error)
            return losses.mean(0), [found[id(parameter)] for parameter in self.parameters]

    def index_of(self, parameter: torch.Tensor) -> int:
        """Position of a parameter in ``parameters``."""
        return self._index[id(parameter)]

    def zero_updates(self) -> list[torch.Tensor]:
        """A step of zero for each parameter."""
        return [torch.zeros_like(p) for p in self.parameters]

    def remember(self, name: str, like: torch.Tensor) -> torch.Tensor:
        """Tensor kept in ``memory`` under this name, initially zeros like the given tensor."""
        if name not in self.memory:
            self.memory[name] = torch.zeros_like(promoted(like))
        return self.memory[name]

    def noise_like(self, signal: torch.Tensor) -> torch.Tensor:
        """Standard normal noise for a layer's signal, from each subject's own stream."""
        shape = signals.batch_size(signal), *signals.unit_shape(signal, self.subjects)
        return signals.join_subjects(self.streams.normal(shape, signal))

    def scale(self, values: float | torch.Tensor, signal: torch.Tensor) -> torch.Tensor:
        """Layer's signal times one number per subject."""
        return signals.scale(values, signal)

    def by_sample(self, signal: torch.Tensor) -> torch.Tensor:
        """View of a layer's signal as ``(batch, subject, number)``."""
        return signals.by_sample(signal, self.subjects)

    @contextmanager
    def using(self, pathway: Pathway | None) -> Iterator[None]:
        """Use a pathway in every layer inside the block; None is the plain linear map."""
        for layer in self.layers.values():
            layer.pathway = pathway
        try:
            yield
        finally:
            for layer in self.layers.values():
                layer.pathway = None

    @contextmanager
    def frozen_running_averages(self) -> Iterator[None]:
        """Do not update running averages inside the block.

        Those of modules that keep their own forward pass are restored after it.
        """
        # Here, because these layers import torch, and rules are named and read without it.
        from virtuallab.subject.network.layers.normalisation import PopulationBatchNorm
        from virtuallab.subject.network.layers.single import own_buffers

        modules = list(self.population.modules())
        norms = [module for module in modules if isinstance(module, PopulationBatchNorm)]
        others = [m for m in modules if not isinstance(m, PopulationBatchNorm)]
        buffers = [buffer for module in others for buffer in own_buffers(module).values()]
        before = [buffer.clone() for buffer in buffers]
        momenta = [norm.momentum for norm in norms]
        for norm in norms:
            norm.momentum = 0.0
        try:
            yield
        finally:
            for norm, momentum in zip(norms, momenta, strict=True):
                norm.momentum = momentum
            for buffer, value in zip(buffers, before, strict=True):
                buffer.copy_(value)

    @contextmanager
    def state_restored(self) -> Iterator[None]:
        """Restore memory, buffers, backward weights and random streams after the block."""
        from virtuallab.subject.network.layers.dropout import PopulationDropout  # imports torch

        backward = [layer.backward_weight for layer in self.layers.values()]
        dropouts = [m for m in self.population.modules() if isinstance(m, PopulationDropout)]
        masks = [stream for dropout in dropouts for stream in dropout.streams]
        drawn = [stream.get_state() for stream in masks]
        buffers = [buffer.clone() for buffer in self.population.buffers()]
        memory = {name: value.clone() for name, value in self.memory.items()}
        streams, self.streams = self.streams, self.streams.independent()
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
