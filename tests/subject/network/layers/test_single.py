"""Modules that keep their forward pass have the outputs and gradients of ordinary modules."""

from __future__ import annotations

import copy
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from virtuallab.subject.network.layers.single import keep_forward, own_buffers
from virtuallab.subject.network.network import Network
from virtuallab.subject.network.population import populate
from virtuallab.subject.network.random_streams import RandomStreams

pytestmark = pytest.mark.usefixtures("own_random_streams")


class Scaled(nn.Module):
    """A layer with a gain, a constant, and a running mean of its output."""

    def __init__(self) -> None:
        super().__init__()
        self.layer, self.gain = nn.Linear(6, 6), nn.Parameter(torch.rand(6))
        self.register_buffer("mean", torch.zeros(6))
        self.register_buffer("constant", torch.full((6,), 2.0), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        response = self.constant * self.gain * self.layer(x)
        if self.training:
            self.mean.lerp_(response.detach().mean((0, 1)), 0.1)
        return response - self.mean


class First(nn.Module):
    """A recurrent layer without its state."""

    def __init__(self, kind: type[nn.RNNBase]) -> None:
        super().__init__()
        self.recurrent = kind(6, 6, batch_first=True)

    def forward(self, x: Tensor) -> Tensor:
        return self.recurrent(x)[0]


MODULES: dict[str, Callable[[], nn.Module]] = {
    "scaled": Scaled,
    "recurrent": lambda: First(nn.LSTM),
    "encoder": lambda: nn.TransformerEncoderLayer(6, 2, 8, 0.0, batch_first=True),
    "transposed": lambda: nn.Sequential(nn.ConvTranspose1d(4, 4, 3, padding=1), nn.PReLU()),
}


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("key", MODULES)
def test_a_population_of_one_is_the_module(key: str, training: bool) -> None:
    plain = MODULES[key]().double().train(training)
    population = populate([plain]).train(training)
    x = torch.randn(3, 4, 6, dtype=torch.float64)
    parameters = dict(population.named_parameters())
    for _ in range(3):
        found, expected = population(x), plain(x)
        torch.testing.assert_close(found, expected)
        ours = torch.autograd.grad(found.square().sum(), list(parameters.values()))
        theirs = torch.autograd.grad(expected.square().sum(), list(plain.parameters()))
        for name, one, other in zip(parameters, ours, theirs, strict=True):
            assert one.shape == (1, *other.shape), name
            torch.testing.assert_close(one[0], other)
        with torch.no_grad():
            for parameter, other in zip(parameters.values(), plain.parameters(), strict=True):
                parameter -= 0.01 * parameter.sign()
                other -= 0.01 * other.sign()
    for name, buffer in own_buffers(plain).items():
        torch.testing.assert_close(own_buffers(population)[name][0], buffer)


def test_a_module_has_its_tensors_with_the_subject_axis_outside_its_forward_pass() -> None:
    module = Scaled()
    kept = copy.deepcopy(module)
    keep_forward(kept, whole=False)
    assert kept.gain.shape == (1, 6)
    assert kept.mean.shape == (1, 6)
    assert kept.constant.shape == (6,)
    assert kept.layer.weight.shape == (6, 6)
    with pytest.raises(RuntimeError):
        kept(torch.ones(3, 4, 5))
    assert kept.gain.shape == (1, 6)
    assert isinstance(kept, Scaled)


def test_running_averages_of_ones_own_can_be_frozen() -> None:
    population = populate([Scaled()]).train()
    network = Network(population, RandomStreams([0]), 1)
    with network.frozen_running_averages():
        population(torch.ones(3, 4, 6))
    assert not population.mean.any()
    population(torch.ones(3, 4, 6))
    assert population.mean.any()
