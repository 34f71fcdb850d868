"""Pathways: the response and the returned error of a small network of three dense layers."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from virtuallab.subject.network.layer import Pathway, PopulationLayer, layers_of
from virtuallab.subject.network.pathways import (
    DetachedInput,
    FeedbackPathway,
    NoisePerturbed,
    ValueNode,
)
from virtuallab.subject.network.population import populate
from virtuallab.subject.network.synapse import Dense

SUBJECTS, BATCH = 2, 5
PATHWAYS: dict[str, Callable[[], Pathway]] = {
    "feedback": lambda: FeedbackPathway(record=False),
    "recorded feedback": lambda: FeedbackPathway(record=True),
    "detached input": DetachedInput,
    "noise of 0": lambda: NoisePerturbed(lambda layer, z: torch.zeros_like(z)),
    "no value node": lambda: ValueNode({}),
}


@pytest.fixture
def population(own_random_streams: None) -> nn.Module:
    """Two subjects with three dense layers and rectifiers between them."""
    return populate(
        [
            nn.Sequential(
                nn.Linear(6, 5), nn.ReLU(), nn.Linear(5, 4), nn.ReLU(), nn.Linear(4, 3)
            ).double()
            for _ in range(SUBJECTS)
        ]
    )


def layers(population: nn.Module, pathway: Pathway | None = None) -> list[PopulationLayer]:
    """All layers, after they were given a pathway."""
    found = [layer for _, layer in layers_of(population)]
    for layer in found:
        layer.pathway = pathway
    return found


def images() -> Tensor:
    stream = torch.Generator().manual_seed(0)
    return torch.randn(BATCH, SUBJECTS * 6, generator=stream, dtype=torch.float64)


def backpropagate(population: nn.Module) -> list[Tensor | None]:
    """Gradient of each layer's weight."""
    population.zero_grad()
    population(images()).square().sum().backward()
    return [layer.weight.grad for _, layer in layers_of(population)]


@pytest.mark.parametrize("name", PATHWAYS)
def test_the_response_is_that_of_the_network_without_a_pathway(
    population: nn.Module, name: str
) -> None:
    expected = population(images())
    layers(population, PATHWAYS[name]())
    torch.testing.assert_close(population(images()), expected)


@pytest.mark.parametrize("name", ["feedback", "recorded feedback", "noise of 0", "no value node"])
def test_without_a_backward_weight_the_gradients_are_exact(
    population: nn.Module, name: str
) -> None:
    expected = backpropagate(population)
    layers(population, PATHWAYS[name]())
    for found, exact in zip(backpropagate(population), expected, strict=True):
        torch.testing.assert_close(found, exact)


def test_the_error_returns_through_the_backward_weight_of_each_layer(
    population: nn.Module,
) -> None:
    pathway = FeedbackPathway(record=True)
    first, middle, last = layers(population, pathway)
    exact = backpropagate(population)
    last.backward_weight = torch.ones_like(last.weight)
    found = backpropagate(population)
    torch.testing.assert_close(found[2], exact[2])
    assert found[1] is not None
    assert not torch.allclose(found[1], exact[1])
    traces = pathway.traces
    error, down = traces[last].error, traces[last].down
    assert error is not None
    assert down is not None
    torch.testing.assert_close(down, error.sum(2, keepdim=True).expand(-1, -1, 4))
    middle_error = traces[middle].error
    active = traces[last].pre > 0
    torch.testing.assert_close(middle_error, down * active)
    assert traces[first].down is None, "images have no error"


def test_traces_are_kept_only_if_they_are_recorded(population: nn.Module) -> None:
    pathway = FeedbackPathway(record=False)
    layers(population, pathway)
    population(images())
    assert pathway.traces == {}


def test_a_function_returns_the_error_of_each_layer(population: nn.Module) -> None:
    called: list[PopulationLayer] = []

    def send(layer: PopulationLayer, error: Tensor, x: Tensor) -> Tensor:
        called.append(layer)
        assert len(error) == len(x) == SUBJECTS
        return torch.zeros_like(x)

    _, middle, last = layers(population, FeedbackPathway(record=False, send=send))
    gradients = backpropagate(population)
    assert called == [last, middle], "from the output on, except for the images"
    assert gradients[2] is not None
    assert gradients[2].any()
    for gradient in gradients[:2]:
        assert gradient is not None
        assert not gradient.any()


def test_no_error_crosses_a_detached_input(population: nn.Module) -> None:
    exact = backpropagate(population)
    pathway = DetachedInput()
    _, middle, _ = layers(population, pathway)
    found = backpropagate(population)
    torch.testing.assert_close(found[2], exact[2])
    assert found[:2] == [None, None]
    assert pathway.inputs[middle].requires_grad, "the operations between layers stay in the graph"
    assert not pathway.traces[middle].pre.requires_grad
    post = pathway.traces[middle].post
    assert post is not None
    [of_weight] = torch.autograd.grad(post.sum(), middle.weight)
    expected = pathway.traces[middle].pre.sum(1, keepdim=True).expand(-1, 4, -1)
    torch.testing.assert_close(of_weight, expected)


def test_a_normalised_input_has_a_mean_square_of_one_in_each_sample(
    population: nn.Module,
) -> None:
    pathway = DetachedInput(normalised=True)
    first, *_ = layers(population, pathway)
    population(images())
    pre = pathway.traces[first].pre
    torch.testing.assert_close(
        pre.square().mean(2), torch.ones(SUBJECTS, BATCH, dtype=torch.float64), rtol=1e-4, atol=0
    )
    ratio = pre / pathway.inputs[first]
    torch.testing.assert_close(ratio, ratio[..., :1].expand_as(ratio))


def test_noise_is_added_to_each_response_and_is_not_part_of_the_trace(
    population: nn.Module,
) -> None:
    pathway = NoisePerturbed(lambda layer, z: torch.full_like(z, float(layer.weight.shape[1])))
    first, middle, last = layers(population, pathway)
    outputs = population(images())
    post = pathway.traces[last].post
    assert post is not None
    torch.testing.assert_close(outputs, post.transpose(0, 1).flatten(1) + 3)
    clean = pathway.traces[first].post
    assert clean is not None
    torch.testing.assert_close(pathway.traces[middle].pre, torch.relu(clean + 5))


def test_a_layer_receives_its_value_node_in_place_of_its_input(population: nn.Module) -> None:
    _, middle, last = layers(population)
    nodes = torch.randn(
        SUBJECTS, BATCH, 4, generator=torch.Generator().manual_seed(1), dtype=torch.float64
    )
    pathway = ValueNode({last: nodes})
    layers(population, pathway)
    outputs = population(images())
    assert last.bias is not None
    expected = torch.bmm(nodes, last.weight.transpose(1, 2)) + last.bias.unsqueeze(1)
    torch.testing.assert_close(outputs, expected.transpose(0, 1).flatten(1))
    predicted = pathway.inputs[last]
    assert last.weight.shape[2] == predicted.shape[2]
    assert not torch.allclose(predicted, nodes), "the prediction is the input without the node"
    torch.testing.assert_close(
        predicted, torch.relu(middle.respond(pathway.inputs[middle], Dense()))
    )
