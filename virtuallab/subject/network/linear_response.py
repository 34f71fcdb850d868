"""Linear response of a layer whose gradient returns through another weight."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from virtuallab.subject.network.layer import LayerTrace
from virtuallab.subject.network.synapse import Synapse

Send = Callable[[Tensor, Tensor], Tensor]  # arguments: error at the response, and input


class _LinearResponse(torch.autograd.Function):
    """Response through ``w``; error at the input through ``b``, or from ``send`` if given."""

    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        w: Tensor,
        bias: Tensor | None,
        b: Tensor,
        synapse: Synapse,
        trace: LayerTrace | None,
        send: Send | None,
    ) -> Tensor:
        ctx.save_for_backward(x, b)
        ctx.synapse, ctx.trace, ctx.send = synapse, trace, send
        z = synapse.project(x, w, bias)
        if trace is not None:
            # Detached, since the graph refers to the trace: a reference cycle would keep both alive
            # until the next garbage collection, which may be hundreds of steps later.
            trace.post = z.detach()
        return z

    @staticmethod
    def backward(ctx: Any, error: Tensor) -> tuple[Tensor | None, ...]:
        x, b = ctx.saved_tensors
        downward, needs_weight, needs_bias = ctx.needs_input_grad[:3]
        down = weight = None
        through = downward and ctx.send is None
        if needs_weight:
            down, weight = ctx.synapse.backpropagate(error, x, b, downward=through)
        elif through:
            down = ctx.synapse.reconstruct(error, b)
        if downward and ctx.send is not None:
            down = ctx.send(error, x)
        if ctx.trace is not None:
            ctx.trace.error, ctx.trace.down = error, down
        bias = ctx.synapse.sum_batch(error, len(b)) if needs_bias else None
        return down, weight, bias, None, None, None, None


def linear_response(
    x: Tensor,
    w: Tensor,
    bias: Tensor | None,
    b: Tensor | None,
    synapse: Synapse,
    trace: LayerTrace | None = None,
    send: Send | None = None,
) -> Tensor:
    """Linear response to ``x`` through ``w``, with an error that returns through ``b``.

    If ``b`` is None, the error returns through ``w`` (backpropagation). ``send(error, x)``, if
    given, returns the error at the input in place of the error through ``b``. The signals are
    recorded in ``trace``, if given.
    """
    plain = b is None and trace is None and send is None and synapse.autograd_is_fast
    if plain or not torch.is_grad_enabled():
        response = synapse.project(x, w, bias)
        if trace is not None:
            trace.post = response
        return response
    backward = w.detach() if b is None else b
    result: Tensor = _LinearResponse.apply(x, w, bias, backward, synapse, trace, send)  # type: ignore[no-untyped-call]
    return result
