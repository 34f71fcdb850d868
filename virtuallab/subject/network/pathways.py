"""How one layer passes its input on, and what it sends back down on the way of the error.

Everything else in a network (nonlinearities, pooling, normalisation, sums) is differentiated
exactly; only where a weight carries a signal may a rule put something else in its place. A
transmission is such a replacement; a network without one is the ordinary network.

References
----------
Lillicrap et al. 2016, "Random synaptic feedback weights support error backpropagation".
Kunin et al. 2020, "Two Routes to Scalable Credit Assignment without Weight Symmetry", section 2.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import torch

if TYPE_CHECKING:
    from virtuallab.subject.network.population import PopulationLayer
    from virtuallab.subject.network.synapse import Synapse


@dataclass
class Tape:
    """What one layer saw in one step.

    ``pre`` is the layer's input, ``post`` its linear response with the bias, ``error`` the error
    that arrived at that response and ``down`` what was sent on to its input (None where nothing
    lies below), in the layout of the layer's synapse.
    """

    synapse: Synapse
    pre: torch.Tensor
    post: torch.Tensor | None = None
    error: torch.Tensor | None = None
    down: torch.Tensor | None = None


@runtime_checkable
class Transmission(Protocol):
    """Carries the input of one layer forward."""

    def __call__(self, x: torch.Tensor, layer: PopulationLayer, synapse: Synapse) -> torch.Tensor:
        """Return the layer's linear response to ``x``, both in the synapse's layout."""


@dataclass
class Through:
    """The error returns through each layer's backward weight, where it has one; noted on tapes.

    Parameters
    ----------
    noting : bool
        Whether to keep tapes, which costs memory.
    send : callable, optional
        ``send(layer, error, x)``: what goes down in the place of the returned error.
    """

    noting: bool
    send: Callable[[PopulationLayer, torch.Tensor, torch.Tensor], torch.Tensor] | None = None
    tapes: dict[PopulationLayer, Tape] = field(default_factory=dict)

    def __call__(self, x: torch.Tensor, layer: PopulationLayer, synapse: Synapse) -> torch.Tensor:
        """Forward through the layer's own weight."""
        from virtuallab.subject.network.linear_response import transmit

        tape = None
        if self.noting:
            tape = self.tapes[layer] = Tape(synapse, x)
        send = self.send
        down = None if send is None else lambda error, at: send(layer, error, at)
        return transmit(x, layer.weight, layer.bias, layer.backward_weight, synapse, tape, down)


@dataclass
class Severed:
    """No error crosses a layer: each layer's own segment of the network is an island.

    Each tape's ``pre`` is the layer's input cut from the graph below, ``post`` the response, whose
    graph reaches down to the layer's own weight and no further.

    Parameters
    ----------
    normalised : bool
        Whether each sample of an input is brought to a mean square of one.
    arriving : mapping from layer to Tensor
        What arrived at each layer, with the graph of the segment below it.
    """

    normalised: bool = False
    tapes: dict[PopulationLayer, Tape] = field(default_factory=dict)
    arriving: dict[PopulationLayer, torch.Tensor] = field(default_factory=dict)

    def __call__(self, x: torch.Tensor, layer: PopulationLayer, synapse: Synapse) -> torch.Tensor:
        """Forward from a copy of the input that nothing is attached to."""
        from virtuallab.subject.network.linear_response import transmit

        cut = x.detach()
        if self.normalised:
            cut = _unit_power(cut, len(layer.weight))
        z = transmit(cut, layer.weight, layer.bias, None, synapse)
        self.arriving[layer] = x
        self.tapes[layer] = Tape(synapse, cut, z)
        return z


@dataclass
class Explored:
    """A disturbance is added to each layer's linear response.

    Parameters
    ----------
    disturb : callable
        ``disturb(layer, z)``: what is added.
    """

    disturb: Callable[[PopulationLayer, torch.Tensor], torch.Tensor]
    tapes: dict[PopulationLayer, Tape] = field(default_factory=dict)

    def __call__(self, x: torch.Tensor, layer: PopulationLayer, synapse: Synapse) -> torch.Tensor:
        """Forward, and add."""
        z = synapse.project(x, layer.weight, layer.bias)
        self.tapes[layer] = Tape(synapse, x, z)
        return z + self.disturb(layer, z)


@dataclass
class Valued:
    """Each layer reads value units of its own in the place of what arrives from below.

    Parameters
    ----------
    values : mapping from layer to Tensor
        The value units that each layer reads; a layer without an entry reads what arrives.
    arriving : mapping from layer to Tensor
        What arrived at each layer in this pass: the prediction of its value units.
    """

    values: dict[PopulationLayer, torch.Tensor]
    arriving: dict[PopulationLayer, torch.Tensor] = field(default_factory=dict)

    def __call__(self, x: torch.Tensor, layer: PopulationLayer, synapse: Synapse) -> torch.Tensor:
        """Forward from the value units."""
        from virtuallab.subject.network.linear_response import transmit

        self.arriving[layer] = x
        read = self.values.get(layer, x)
        return transmit(read, layer.weight, layer.bias, None, synapse)


def _unit_power(x: torch.Tensor, subjects: int) -> torch.Tensor:
    """Bring each sample of each subject to a mean square of one."""
    apart = x if x.dim() == 3 else x.view(len(x), subjects, -1, *x.shape[2:])
    axes = 2 if x.dim() == 3 else (2, 3, 4)
    scaled = apart * torch.rsqrt(apart.square().mean(axes, keepdim=True) + 1e-8)
    if x.dim() == 3:
        return scaled
    return scaled.flatten(1, 2).contiguous(memory_format=torch.channels_last)
