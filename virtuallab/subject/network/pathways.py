"""Pathways: how a layer with weights computes its response and returns the error.

A rule chooses a pathway. All other operations of a network (nonlinearities, pooling, normalisation,
sums) are differentiated exactly. Without a pathway, the network is the ordinary network.

References
----------
Lillicrap et al. 2016, "Random synaptic feedback weights support error backpropagation".
Kunin et al. 2020, "Two Routes to Scalable Credit Assignment without Weight Symmetry", section 2.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import torch

from virtuallab.subject.network.layer import LayerTrace, PopulationLayer
from virtuallab.subject.network.signals import normalise_samples
from virtuallab.subject.network.synapse import Synapse


@dataclass
class FeedbackPathway:
    """Pathway on which the error returns through each layer's backward weight, if it has one.

    ``record`` keeps traces, which costs memory. ``send(layer, error, x)``, if given, returns the
    error at the input of a layer in place of the error through the backward weight.
    """

    record: bool
    send: Callable[[PopulationLayer, torch.Tensor, torch.Tensor], torch.Tensor] | None = None
    traces: dict[PopulationLayer, LayerTrace] = field(default_factory=dict)

    def __call__(self, x: torch.Tensor, layer: PopulationLayer, synapse: Synapse) -> torch.Tensor:
        """Linear response through the forward weight."""
        trace = None
        if self.record:
            trace = self.traces[layer] = LayerTrace(synapse, x)
        send = self.send
        down = None if send is None else lambda error, at: send(layer, error, at)
        return layer.respond(x, synapse, layer.backward_weight, trace, down)


@dataclass
class DetachedInput:
    """Pathway on which each layer receives a detached input, so that no error crosses a layer.

    If ``normalised``, each sample of the detached input is scaled to a mean square of one. The
    ``inputs`` are those before they were detached, with the graph of the operations between layers;
    in the ``traces``, ``pre`` is detached and the graph of ``post`` ends at the layer's weight.
    """

    normalised: bool = False
    traces: dict[PopulationLayer, LayerTrace] = field(default_factory=dict)
    inputs: dict[PopulationLayer, torch.Tensor] = field(default_factory=dict)

    def __call__(self, x: torch.Tensor, layer: PopulationLayer, synapse: Synapse) -> torch.Tensor:
        """Linear response to the detached input."""
        detached = x.detach()
        if self.normalised:
            detached = normalise_samples(detached, len(layer.weight))
        z = layer.respond(detached, synapse)
        self.inputs[layer] = x
        self.traces[layer] = LayerTrace(synapse, detached, z)
        return z


@dataclass
class NoisePerturbed:
    """Pathway on which ``noise(layer, z)`` is added to each layer's linear response ``z``.

    In the ``traces``, ``post`` is the response without the noise.
    """

    noise: Callable[[PopulationLayer, torch.Tensor], torch.Tensor]
    traces: dict[PopulationLayer, LayerTrace] = field(default_factory=dict)

    def __call__(self, x: torch.Tensor, layer: PopulationLayer, synapse: Synapse) -> torch.Tensor:
        """Linear response with noise."""
        z = synapse.project(x, layer.weight, layer.bias)
        self.traces[layer] = LayerTrace(synapse, x, z)
        return z + self.noise(layer, z)


@dataclass
class ValueNode:
    """Pathway on which each layer receives value nodes, if there are any, in place of its input.

    The ``inputs`` of the layers in this pass are the predictions of the value nodes.
    """

    values: dict[PopulationLayer, torch.Tensor]
    inputs: dict[PopulationLayer, torch.Tensor] = field(default_factory=dict)

    def __call__(self, x: torch.Tensor, layer: PopulationLayer, synapse: Synapse) -> torch.Tensor:
        """Linear response to the value nodes."""
        self.inputs[layer] = x
        return layer.respond(self.values.get(layer, x), synapse)
