"""Jacobian of a layer, compared with a published example and with automatic differentiation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from tests.subject.nets import Residual
from virtuallab.registry import ARCHITECTURES
from virtuallab.subject.architecture import Architecture, Shape, Site
from virtuallab.subject.network.initialization import initialized_network
from virtuallab.subject.network.parameter_layout import parameter_layout
from virtuallab.subject.network.population import populate
from virtuallab.subject.preparation import PreparedSubject, prepare
from virtuallab.subject.task import Images, Task


@dataclass(frozen=True, kw_only=True)
class Two(Task):
    """The two stimuli of the published example, not standardised."""

    name = "two"
    classes = 2
    stimulus_shape = (1, 1, 3)

    def images(self) -> tuple[np.ndarray, np.ndarray]:
        return np.array([[[[1, -2, 1]]], [[[1, 1, 1]]]], dtype=np.float32), np.array([0, 1])

    def stimuli(self) -> Images:
        stimuli, labels = self.images()
        return Images(torch.from_numpy(stimuli), torch.from_numpy(labels))


@dataclass(frozen=True, kw_only=True)
class Noise(Task):
    """Random images of two channels."""

    name = "noise"
    classes = 3
    stimulus_shape = (2, 7, 6)

    def images(self) -> tuple[np.ndarray, np.ndarray]:
        stimuli = np.random.default_rng(0).normal(size=(60, 2, 7, 6)).astype(np.float32)
        return stimuli, np.arange(60) % 3

    train_images: int = 30
    validation_images: int = 15
    probe_images: int = 5


@pytest.mark.parametrize("precision", [np.float32, np.float64])
def test_the_published_example_of_an_activity_change(precision: type) -> None:
    one_layer, task = ARCHITECTURES["mlp"](hidden=(2,)), Two()
    layout = parameter_layout(one_layer, task)
    state = np.zeros((1, layout.size), dtype=precision)
    weights = np.array([[1, -1], [2, 0.5], [-1, 3]])  # (input, output), as published
    state[0, layout.weights("fc1")] = weights.T.ravel()
    preparation = prepare(one_layer, task, state)
    np.testing.assert_array_equal(preparation.responses["fc1"][0, 0], [0, 1])
    sums = preparation.jacobian("fc1", np.arange(2))
    np.testing.assert_array_equal(sums[0].sum(-1) / 2, [1.25, 2.25])
    np.testing.assert_array_equal(sums[0, 0], weights[:, 1])  # only the second unit is active


class Block(nn.Module):
    """A strided convolution, a residual block with normalisation, a grouped one, a dense layer."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.stem = nn.Conv2d(2, 6, (3, 2), stride=2, padding=(1, 0))
        self.block = Residual()
        self.grouped = nn.Conv2d(6, 4, 3, padding=1, groups=2)
        self.relu = nn.ReLU()
        self.fc = nn.Linear(48, classes)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(self.relu(self.grouped(self.block(self.stem(x)))).flatten(1))


class Resnetlike(Architecture):
    name = "resnetlike"

    def build(self, stimulus_shape: Shape, classes: int) -> nn.Module:
        return Block(classes)

    def sites(self, module: nn.Module) -> dict[str, Site]:
        """Sites after a normalisation, after a block and after a ReLU."""
        return {
            "stem": Site("stem", "stem"),
            "first": Site("block.first", "block.norm"),
            "second": Site("block.second", "block"),
            "grouped": Site("grouped", "relu"),
            "fc": Site("fc", "fc"),
        }


def trained(count: int = 2) -> list[Block]:
    """Networks with different running averages."""
    networks = [initialized_network(Resnetlike(), Noise(), seed).double() for seed in range(count)]
    for network in networks:
        network.train()(Noise().train().stimuli.double())
    return [network.eval() for network in networks]


def prepared(networks: list[Block]) -> PreparedSubject:
    states = parameter_layout(Resnetlike(), Noise()).flatten(populate(networks)).numpy()
    return prepare(Resnetlike(), Noise(), states)


def input_and_map(network: Block, layer: str, x: Tensor) -> tuple[Tensor, object]:
    """Input of a layer, and the map from it to the layer's response."""
    block = network.block
    stem = network.stem(x)
    hidden = torch.relu(block.norm(block.first(stem)))
    return {
        "stem": (x, network.stem),
        "first": (stem, lambda s: block.norm(block.first(s))),
        "second": (hidden, lambda s: torch.relu(stem + block.second(s))),
        "grouped": (block(stem), lambda s: torch.relu(network.grouped(s))),
        "fc": (torch.relu(network.grouped(block(stem))).flatten(1), network.fc),
    }[layer]


@pytest.mark.parametrize("layer", ["stem", "first", "second", "grouped", "fc"])
def test_the_jacobian_equals_jacrev_for_any_units(layer: str) -> None:
    networks = trained()
    preparation = prepared(networks)
    count = preparation.responses[layer].shape[-1]
    chosen = np.random.default_rng(1).permutation(count)[: max(2, count // 3)]
    found = {
        "all": preparation.jacobian(layer, np.arange(count)),
        "some": preparation.jacobian(layer, chosen),
    }
    assert found["all"].shape == (2, 5, preparation.inputs[layer])
    for visit, network in enumerate(networks):
        for index, image in enumerate(Noise().stimuli().stimuli.double()):
            source, response = input_and_map(network, layer, image[None])
            np.testing.assert_allclose(
                preparation.responses[layer][visit, index],
                response(source).detach().flatten().numpy(),
                atol=1e-12,
            )
            whole = torch.func.jacrev(lambda s, f=response: f(s).flatten())(source.detach())
            whole = whole.detach().flatten(1).numpy()
            np.testing.assert_allclose(found["all"][visit, index], whole.sum(0), atol=1e-12)
            np.testing.assert_allclose(
                found["some"][visit, index], whole[chosen].sum(0), atol=1e-12
            )


def test_jacobians_add_up_over_units() -> None:
    preparation = prepared(trained())
    count = preparation.responses["grouped"].shape[-1]
    of_units = [preparation.jacobian("grouped", np.array([unit])) for unit in range(count)]
    whole = preparation.jacobian("grouped", np.arange(count))
    np.testing.assert_allclose(sum(of_units), whole, atol=1e-12)


def test_the_jacobian_of_no_units_is_zero() -> None:
    assert not prepared(trained()).jacobian("stem", np.array([], dtype=np.int64)).any()
