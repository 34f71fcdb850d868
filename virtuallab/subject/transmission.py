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
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import torch
from torch import Tensor

from virtuallab.subject.synapse import Synapse

if TYPE_CHECKING:
    from virtuallab.subject.population import PopulationLayer


@dataclass
class Tape:
    """What one layer saw in one step.

    ``pre`` is the layer's input, ``post`` its linear response with the bias, ``error`` the error
    that arrived at that response and ``down`` what was sent on to its input (None where nothing
    lies below), in the layout of the layer's synapse.
    """

    synapse: Synapse
    pre: Tensor
    post: Tensor | None = None
    error: Tensor | None = None
    down: Tensor | None = None


Send = Callable[[Tensor, Tensor], Tensor]  # from the error at the response, and the input


@runtime_checkable
class Transmission(Protocol):
    """Carries the input of one layer forward."""

    def __call__(self, x: Tensor, layer: PopulationLayer, synapse: Synapse) -> Tensor:
        """Return the layer's linear response to ``x``, both in the synapse's layout."""


class _Transmit(torch.autograd.Function):
    """Forward through ``w``; the error goes down through ``b``, or as ``send`` says."""

    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        w: Tensor,
        bias: Tensor | None,
        b: Tensor,
        synapse: Synapse,
        tape: Tape | None,
        send: Send | None,
    ) -> Tensor:
        ctx.save_for_backward(x, b)
        ctx.synapse, ctx.tape, ctx.send = synapse, tape, send
        z = synapse.project(x, w, bias)
        if tape is not None:
            # Cut off: the graph holds the tape, and a tape that held the graph would keep both
            # alive until a garbage collection, which may be hundreds of steps away.
            tape.post = z.detach()
        return z

    @staticmethod
    def backward(ctx: Any, error: Tensor) -> tuple[Tensor | None, ...]:
        x, b = ctx.saved_tensors
        downward, learns, shifts = ctx.needs_input_grad[:3]
        down = weight = None
        through = downward and ctx.send is None
        if learns:
            down, weight = ctx.synapse.return_error(error, x, b, downward=through)
        elif through:
            down = ctx.synapse.reconstruct(error, b)
        if downward and ctx.send is not None:
            down = ctx.send(error, x)
        if ctx.tape is not None:
            ctx.tape.error, ctx.tape.down = error, down
        bias = ctx.synapse.collect(error, len(b)) if shifts else None
        return down, weight, bias, None, None, None, None


def transmit(
    x: Tensor,
    w: Tensor,
    bias: Tensor | None,
    b: Tensor | None,
    synapse: Synapse,
    tape: Tape | None = None,
    send: Send | None = None,
) -> Tensor:
    """Carry ``x`` forward through ``w``, and on the way back the error down through ``b``.

    Parameters
    ----------
    x : Tensor
        The layer's input, in the synapse's layout.
    w, b : Tensor
        Forward and backward weight ``(subject, post, ...)``; without ``b`` the error goes through
        ``w`` itself, which is backpropagation.
    bias : Tensor or None
        ``(subject, post)``.
    synapse : Synapse
    tape : Tape or None
        Where to note what the layer saw.
    send : callable, optional
        Makes what is sent down instead of the error through ``b``.
    """
    plain = b is None and tape is None and send is None and synapse.plain_gradient
    if plain or not torch.is_grad_enabled():
        if tape is not None:
            tape.post = synapse.project(x, w, bias)
            return tape.post
        return synapse.project(x, w, bias)
    back = w.detach() if b is None else b
    result: Tensor = _Transmit.apply(x, w, bias, back, synapse, tape, send)  # type: ignore[no-untyped-call]
    return result


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
    send: Callable[[PopulationLayer, Tensor, Tensor], Tensor] | None = None
    tapes: dict[PopulationLayer, Tape] = field(default_factory=dict)

    def __call__(self, x: Tensor, layer: PopulationLayer, synapse: Synapse) -> Tensor:
        """Forward through the layer's own weight."""
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
    arriving: dict[PopulationLayer, Tensor] = field(default_factory=dict)

    def __call__(self, x: Tensor, layer: PopulationLayer, synapse: Synapse) -> Tensor:
        """Forward from a copy of the input that nothing is attached to."""
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

    disturb: Callable[[PopulationLayer, Tensor], Tensor]
    tapes: dict[PopulationLayer, Tape] = field(default_factory=dict)

    def __call__(self, x: Tensor, layer: PopulationLayer, synapse: Synapse) -> Tensor:
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

    values: dict[PopulationLayer, Tensor]
    arriving: dict[PopulationLayer, Tensor] = field(default_factory=dict)

    def __call__(self, x: Tensor, layer: PopulationLayer, synapse: Synapse) -> Tensor:
        """Forward from the value units."""
        self.arriving[layer] = x
        read = self.values.get(layer, x)
        return transmit(read, layer.weight, layer.bias, None, synapse)


def _unit_power(x: Tensor, subjects: int) -> Tensor:
    """Bring each sample of each subject to a mean square of one."""
    apart = x if x.dim() == 3 else x.view(len(x), subjects, -1, *x.shape[2:])
    axes = 2 if x.dim() == 3 else (2, 3, 4)
    scaled = apart * torch.rsqrt(apart.square().mean(axes, keepdim=True) + 1e-8)
    if x.dim() == 3:
        return scaled
    return scaled.flatten(1, 2).contiguous(memory_format=torch.channels_last)
