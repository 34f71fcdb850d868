"""How the error reaches a layer: the layer's forward map with a backward map of its own.

Everything else in a network (nonlinearities, pooling, normalisation, sums) is differentiated
exactly; only where a weight carries the error down may another weight stand in its place.

References
----------
Lillicrap et al. 2016, "Random synaptic feedback weights support error backpropagation".
Kunin et al. 2020, "Two Routes to Scalable Credit Assignment without Weight Symmetry", section 2.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from virtuallab.subject.synapse import Synapse


@dataclass
class Tape:
    """What one layer saw in the last step, kept for rules that need more than the pseudogradient.

    ``pre`` is the layer's input, ``post`` its linear response with the bias, ``error`` the error
    that arrived at that response, in the layout of the layer's synapse.
    """

    synapse: Synapse | None = None
    pre: Tensor | None = None
    post: Tensor | None = None
    error: Tensor | None = None


class _Transmit(torch.autograd.Function):
    """Forward through ``w``; the error goes down through ``b``."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, w: Tensor, bias: Tensor | None, b: Tensor, synapse: Synapse, tape: Any
    ) -> Tensor:
        ctx.save_for_backward(x, b)
        ctx.synapse, ctx.tape = synapse, tape
        z = synapse.project(x, w, bias)
        if tape is not None:
            tape.synapse, tape.pre, tape.post = synapse, x, z
        return z

    @staticmethod
    def backward(ctx: Any, error: Tensor) -> tuple[Tensor | None, ...]:
        x, b = ctx.saved_tensors
        downward, learns, shifts = ctx.needs_input_grad[:3]
        if ctx.tape is not None:
            ctx.tape.error = error
        if learns:
            down, weight = ctx.synapse.return_error(error, x, b, downward=downward)
        else:
            down, weight = ctx.synapse.reconstruct(error, b) if downward else None, None
        bias = ctx.synapse.collect(error, len(b)) if shifts else None
        return down, weight, bias, None, None, None


def transmit(
    x: Tensor,
    w: Tensor,
    bias: Tensor | None,
    b: Tensor | None,
    synapse: Synapse,
    tape: Tape | None = None,
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
    """
    plain = b is None and tape is None and synapse.plain_gradient
    if plain or not torch.is_grad_enabled():
        return synapse.project(x, w, bias)
    back = w.detach() if b is None else b
    result: Tensor = _Transmit.apply(x, w, bias, back, synapse, tape)  # type: ignore[no-untyped-call]
    return result
