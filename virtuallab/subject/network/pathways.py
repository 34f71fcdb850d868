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

    Parameters
    ----------
    record : bool
        Whether to keep traces, which costs memory.
    send : callable, optional
        ``send(layer, error, x)`` returns the error at the input, in place of the returned error.

    Attributes
    ----------
    traces : dict from PopulationLayer to LayerTrace
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

    Parameters
    ----------
    normalised : bool
        Whether each sample of an input is scaled to a mean square of one.

    Attributes
    ----------
    traces : dict from PopulationLayer to LayerTrace
        ``pre`` is the detached input; the graph of ``post`` ends at the layer's weight.
    inputs : dict from PopulationLayer to Tensor
        Inputs before they were detached, with the graph of the operations between two layers.
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
    """Pathway on which noise is added to each layer's linear response.

    Parameters
    ----------
    noise : callable
        ``noise(layer, z)`` returns the noise that is added to the response ``z``.

    Attributes
    ----------
    traces : dict from PopulationLayer to LayerTrace
        ``post`` is the response without the noise.
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
    """Pathway on which each layer receives value nodes in place of its input.

    Parameters
    ----------
    values : mapping from PopulationLayer to Tensor
        Value nodes of each layer; a layer without an entry receives its input.

    Attributes
    ----------
    inputs : dict from PopulationLayer to Tensor
        Inputs in this pass: the predictions of the value nodes.
    """

    values: dict[PopulationLayer, torch.Tensor]
    inputs: dict[PopulationLayer, torch.Tensor] = field(default_factory=dict)

    def __call__(self, x: torch.Tensor, layer: PopulationLayer, synapse: Synapse) -> torch.Tensor:
        """Linear response to the value nodes."""
        self.inputs[layer] = x
        return layer.respond(self.values.get(layer, x), synapse)
