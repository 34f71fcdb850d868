"""The step of one layer in torch's graph: forward through one weight, back through another."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from virtuallab.subject.network.pathways import Tape
from virtuallab.subject.network.synapse import Synapse

Send = Callable[[Tensor, Tensor], Tensor]  # from the error at the response, and the input


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
