"""Linear response whose error returns through another weight."""

from __future__ import annotations

import gc
import weakref

import pytest
import torch
from torch import Tensor

from virtuallab.subject.network.layer import LayerTrace
from virtuallab.subject.network.linear_response import linear_response
from virtuallab.subject.network.synapse import Conv, Dense, Synapse

SYNAPSES: dict[str, Synapse] = {
    "dense": Dense(),
    "conv": Conv((2, 1), (1, 1), (1, 1), 1, (6, 5)),
}
POST = {"dense": (2, 7, 3), "conv": (7, 6, 3, 5)}


def numbers(kind: str, seed: int = 0) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Input, forward weight, bias and backward weight of two subjects, with four channels."""
    stream = torch.Generator().manual_seed(seed)

    def drawn(*shape: int) -> Tensor:
        return torch.randn(shape, generator=stream, dtype=torch.float64)

    kernel = () if kind == "dense" else (3, 3)
    x = drawn(2, 7, 4) if kind == "dense" else drawn(7, 8, 6, 5)
    weight, backward = drawn(2, 3, 4, *kernel), drawn(2, 3, 4, *kernel)
    leaves = [each.requires_grad_() for each in (x, weight, drawn(2, 3))]
    return leaves[0], leaves[1], leaves[2], backward


def gradients(response: Tensor, *of: Tensor) -> tuple[Tensor, ...]:
    """Gradients of the mean square of a response."""
    return torch.autograd.grad(response.square().mean(), of)


@pytest.mark.parametrize("kind", SYNAPSES)
@pytest.mark.parametrize("traced", [False, True])
def test_without_a_backward_weight_the_gradients_are_those_of_torch(
    kind: str, traced: bool
) -> None:
    synapse, (x, w, bias, _) = SYNAPSES[kind], numbers(kind)
    expected = synapse.project(x, w, bias)
    trace = LayerTrace(synapse, x) if traced else None
    found = linear_response(x, w, bias, None, synapse, trace)
    assert found.shape == POST[kind]
    torch.testing.assert_close(found, expected)
    for one, other in zip(
        gradients(found, x, w, bias), gradients(expected, x, w, bias), strict=True
    ):
        torch.testing.assert_close(one, other)


@pytest.mark.parametrize("kind", SYNAPSES)
def test_the_error_returns_through_the_backward_weight_and_nothing_else_changes(kind: str) -> None:
    synapse, (x, w, bias, b) = SYNAPSES[kind], numbers(kind)
    response = linear_response(x, w, bias, b, synapse)
    down, weight, offset = gradients(response, x, w, bias)
    error = 2 * response.detach() / response.numel()
    torch.testing.assert_close(down, synapse.reconstruct(error, b))
    plain = gradients(synapse.project(x, w, bias), x, w, bias)
    assert not torch.allclose(down, plain[0])
    torch.testing.assert_close(weight, plain[1])
    torch.testing.assert_close(offset, plain[2])


@pytest.mark.parametrize("kind", SYNAPSES)
def test_a_function_may_return_the_error_in_place_of_the_backward_weight(kind: str) -> None:
    synapse, (x, w, bias, b) = SYNAPSES[kind], numbers(kind)
    sent: list[Tensor] = []

    def send(error: Tensor, at: Tensor) -> Tensor:
        sent.append(error)
        return 3 * at

    response = linear_response(x, w, bias, b, synapse, send=send)
    down, weight, _ = gradients(response, x, w, bias)
    torch.testing.assert_close(down, 3 * x.detach())
    [error] = sent
    torch.testing.assert_close(error, 2 * response.detach() / response.numel())
    torch.testing.assert_close(weight, gradients(synapse.project(x, w, bias), w)[0])


@pytest.mark.parametrize("kind", SYNAPSES)
def test_a_trace_holds_the_response_and_the_errors_at_both_ends(kind: str) -> None:
    synapse, (x, w, bias, b) = SYNAPSES[kind], numbers(kind)
    trace = LayerTrace(synapse, x)
    response = linear_response(x, w, bias, b, synapse, trace)
    assert trace.post is not None
    assert trace.error is None, "the error is not known before the backward pass"
    assert not trace.post.requires_grad
    torch.testing.assert_close(trace.post, response.detach())
    [down] = gradients(response, x)
    assert trace.error is not None
    torch.testing.assert_close(trace.error, 2 * trace.post / trace.post.numel())
    assert trace.down is not None
    torch.testing.assert_close(trace.down, down)


def test_the_lowest_layer_has_no_error_at_its_input() -> None:
    x, w, bias, b = numbers("dense")
    trace = LayerTrace(Dense(), x.detach())
    response = linear_response(x.detach(), w, bias, b, Dense(), trace)
    gradients(response, w)
    assert trace.error is not None
    assert trace.down is None


def test_a_weight_that_is_not_trained_still_returns_the_error() -> None:
    x, w, bias, b = numbers("dense")
    response = linear_response(x, w.detach(), bias.detach(), b, Dense())
    [down] = gradients(response, x)
    error = 2 * response.detach() / response.numel()
    torch.testing.assert_close(down, Dense().reconstruct(error, b))


def test_without_gradients_the_response_is_recorded_and_nothing_is_kept_for_them() -> None:
    x, w, bias, b = numbers("conv")
    trace = LayerTrace(SYNAPSES["conv"], x)
    with torch.no_grad():
        response = linear_response(x, w, bias, b, SYNAPSES["conv"], trace)
    assert response.grad_fn is None
    assert trace.post is response


def test_a_trace_is_freed_with_its_graph_without_garbage_collection() -> None:
    x, w, bias, b = numbers("dense")
    gc.disable()
    try:
        trace = LayerTrace(Dense(), x.detach())
        response = linear_response(x, w, bias, b, Dense(), trace)
        alive = weakref.ref(trace)
        del trace, response
        assert alive() is None
    finally:
        gc.enable()
