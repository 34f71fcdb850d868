"""Layers with weights: stacked parameters, and the pathway that replaces the linear map."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from tests.subject.nets import initialised_module
from virtuallab.subject.network.layer import (
    LayerTrace,
    Pathway,
    PopulationLayer,
    layers_of,
    stacked,
)
from virtuallab.subject.network.population import populate
from virtuallab.subject.network.synapse import Dense, Synapse


@pytest.fixture
def layer(own_random_streams: None) -> PopulationLayer:
    """A dense layer of two subjects, from four units to three."""
    [(_, found)] = layers_of(populate([nn.Linear(4, 3).double() for _ in range(2)]))
    return found


def signal() -> Tensor:
    return torch.arange(40, dtype=torch.float64).view(2, 5, 4)


class Doubled:
    """A pathway with twice the response."""

    def __call__(self, x: Tensor, layer: PopulationLayer, synapse: Synapse) -> Tensor:
        return 2 * layer.respond(x, synapse)


def test_parameters_of_modules_are_stacked_along_the_subject(own_random_streams: None) -> None:
    modules = [nn.Linear(4, 3) for _ in range(2)]
    weight = stacked(modules, "weight")
    assert isinstance(weight, nn.Parameter)
    assert weight.shape == (2, 3, 4)
    for place, module in enumerate(modules):
        assert torch.equal(weight[place], module.weight)
    with torch.no_grad():
        weight.zero_()
    assert modules[0].weight.any(), "the modules keep their own parameters"


def test_a_layer_responds_with_the_weight_and_bias_of_each_subject(layer: PopulationLayer) -> None:
    x = signal()
    assert layer.bias is not None
    expected = torch.stack([x[s] @ layer.weight[s].T + layer.bias[s] for s in range(2)])
    torch.testing.assert_close(layer.carry(x, Dense()), expected)
    trace = LayerTrace(Dense(), x)
    layer.respond(x, Dense(), trace=trace)
    assert trace.post is not None
    torch.testing.assert_close(trace.post, expected)


def test_a_pathway_replaces_the_linear_map_until_it_is_removed(layer: PopulationLayer) -> None:
    plain = layer.carry(signal(), Dense())
    assert isinstance(Doubled(), Pathway)
    layer.pathway = Doubled()
    torch.testing.assert_close(layer.carry(signal(), Dense()), 2 * plain)
    layer.pathway = None
    torch.testing.assert_close(layer.carry(signal(), Dense()), plain)


def test_a_layer_without_bias_has_none(own_random_streams: None) -> None:
    [(_, layer)] = layers_of(populate([nn.Linear(4, 3, bias=False)]))
    assert layer.bias is None
    assert layer.backward_weight is None
    assert layer.respond(torch.zeros(1, 2, 4), Dense()).abs().max() == 0


def test_layers_are_found_by_name_in_the_order_of_the_module() -> None:
    population = populate([initialised_module("strided", 0)])
    found = dict(layers_of(population))
    assert list(found) == ["0", "2.first", "2.second", "3", "8", "11"]
    for name, each in found.items():
        assert each is population.get_submodule(name)
