"""Layers with synapses: the error returns through the backward weight in each kind of layer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import pytest
import torch
from torch import Tensor, nn

from tests.subject.nets import NETS, as_plain
from virtuallab.subject.architecture import Architecture, Shape, synaptic_layers
from virtuallab.subject.network.layer import PopulationLayer
from virtuallab.subject.network.pathways import FeedbackPathway
from virtuallab.subject.network.population import populate
from virtuallab.testing import check_architecture, check_rule

pytestmark = [
    pytest.mark.usefixtures("own_random_streams"),
    pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel"),
]

SUBJECTS, BATCH = 3, 5

# A layer, the shape of one subject's sample, and the axis of the subjects.
KINDS: dict[str, tuple[Callable[[], nn.Module], tuple[int, ...], int]] = {
    "conv1d": (lambda: nn.Conv1d(4, 6, 3, stride=2, padding=1, groups=2), (4, 9), 1),
    "conv1d, same": (lambda: nn.Conv1d(4, 6, 4, padding="same", dilation=2), (4, 9), 1),
    "conv1d, circular": (lambda: nn.Conv1d(4, 6, 3, padding=1, padding_mode="circular"), (4, 9), 1),
    "depthwise": (lambda: nn.Conv2d(6, 6, 3, padding=1, groups=6), (6, 5, 7), 1),
    "multiplied": (lambda: nn.Conv2d(4, 8, 3, groups=4, bias=False), (4, 5, 7), 1),
    "grouped": (lambda: nn.Conv2d(4, 6, (2, 3), stride=(2, 1), groups=2), (4, 6, 7), 1),
    "reflected": (lambda: nn.Conv2d(2, 3, 3, padding=(2, 1), padding_mode="reflect"), (2, 5, 7), 1),
    "transposed": (
        lambda: nn.ConvTranspose2d(4, 3, 3, stride=2, padding=1, output_padding=1),
        (4, 5, 4),
        1,
    ),
    "transposed, grouped": (
        lambda: nn.ConvTranspose2d(4, 6, (2, 3), groups=2, dilation=(2, 1), bias=False),
        (4, 5, 4),
        1,
    ),
    "tokens": (lambda: nn.Linear(4, 3), (6, 4), 2),
    "tokens of two axes": (lambda: nn.Linear(4, 3, bias=False), (2, 6, 4), 3),
    "features of channels": (lambda: nn.Linear(4, 3), (6, 4), 1),
}


def through(forward: nn.Module, backward: nn.Module, x: Tensor) -> Tensor:
    """Response through one layer, whose error returns through another."""
    back = backward(x)
    return forward(x.detach()) + back - back.detach()


@pytest.mark.parametrize("learned", [False, True], ids=["own", "backward"])
@pytest.mark.parametrize("kind", KINDS)
def test_the_error_returns_through_the_backward_weight(kind: str, learned: bool) -> None:
    make, shape, axis = KINDS[kind]
    layers, others = ([make().double() for _ in range(SUBJECTS)] for _ in range(2))
    population = populate([nn.Sequential(layer) for layer in layers])
    layer = population[0]
    assert isinstance(layer, PopulationLayer)
    if learned:
        backward = populate([nn.Sequential(other) for other in others])[0]
        layer.backward_weight = backward.weight.detach()
    layer.pathway = pathway = FeedbackPathway(record=True)
    inputs = [torch.randn(BATCH, *shape, dtype=torch.float64) for _ in range(SUBJECTS)]
    x = torch.cat(inputs, axis).requires_grad_()
    response = population(x)
    response.square().sum().backward()
    assert x.grad is not None
    assert layer.weight.grad is not None
    downs = x.grad.chunk(SUBJECTS, axis)
    for place, (own, other) in enumerate(zip(layers, others, strict=True)):
        one = inputs[place].requires_grad_()
        expected = through(own, other, one) if learned else own(one)
        torch.testing.assert_close(response.chunk(SUBJECTS, axis)[place], expected)
        expected.square().sum().backward()
        torch.testing.assert_close(downs[place], one.grad)
        step = as_plain(nn.Sequential(own), "0.weight", layer.weight.grad[place])
        torch.testing.assert_close(step, own.weight.grad)
        if layer.bias is not None:
            assert layer.bias.grad is not None
            torch.testing.assert_close(layer.bias.grad[place], own.bias.grad)
    trace = pathway.traces[layer]
    correlation = trace.synapse.correlate(trace.pre, trace.error, layer.weight)
    torch.testing.assert_close(correlation, layer.weight.grad)


@pytest.mark.parametrize("key", NETS)
def test_layers_with_synapses_are_those_of_the_plain_network(key: str) -> None:
    network = NETS[key]()
    population = populate([network] * 2)
    for path in synaptic_layers(network):
        layer = population.get_submodule(path)
        assert isinstance(layer, PopulationLayer)
        assert len(layer.weight) == 2


@dataclass(frozen=True, kw_only=True)
class _Kept(Architecture):
    name: ClassVar[str] = "kept"

    key: str

    def build(self, stimulus_shape: Shape, classes: int) -> nn.Module:
        network = NETS[self.key]()
        last = list(synaptic_layers(network))[-1]
        network.set_submodule(last, nn.Linear(network.get_submodule(last).in_features, classes))
        return network


@pytest.mark.parametrize("key", NETS)
def test_architectures_with_such_layers_pass_the_check(key: str) -> None:
    check_architecture(_Kept(key=key))


@pytest.mark.slow
@pytest.mark.parametrize(
    "rule", ["feedback_alignment", "weight_mirror", "information_alignment", "oja", "bcm"]
)
@pytest.mark.parametrize("key", ["one_axis", "grouped", "transposed", "transformer"])
def test_rules_train_such_networks(key: str, rule: str) -> None:
    check_rule(rule, _Kept(key=key))
