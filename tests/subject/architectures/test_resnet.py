from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, relu

from virtuallab.registry import ARCHITECTURES
from virtuallab.subject.architectures._layers import pool
from virtuallab.subject.architectures._torchvision import torchvision

pytestmark = pytest.mark.usefixtures("own_random_streams")

BLOCKS = {"resnet18": (2, 2, 2, 2), "resnet34": (3, 4, 6, 3)}
NAMES = ["resnet18", "resnet18v2", "resnet34", "resnet34v2"]


def built(name: str, size: int = 8, **settings: object) -> nn.Sequential:
    network: nn.Sequential = ARCHITECTURES[name](**settings).build((3, size, size), 7)
    return network


@pytest.mark.parametrize("name", NAMES)
def test_layers_have_the_published_names(name: str) -> None:
    group = "block_layer" if name.endswith("v2") else "block_group"
    expected = ["conv0"]
    for number, count in enumerate(BLOCKS[name.removesuffix("v2")], start=1):
        for block in range(count):
            first = 0 if block == 0 else 1  # the shortcut's layer is in the first block alone
            expected += [f"{group}{number}_{block}.conv{i}" for i in range(first, 3)]
    architecture = ARCHITECTURES[name]()
    assert list(architecture.sites(built(name))) == [*expected, "dense"]


@pytest.mark.parametrize("name", BLOCKS)
def test_it_is_torchvisions_network_with_one_more_shortcut_layer(name: str) -> None:
    ours = built(name, 64, width=64, stem="published")
    theirs = getattr(torchvision().models, name)(weights=None, num_classes=7)
    one_more = [ours.block_group1_0.conv0, ours.block_group1_0.norm0]
    more = sum(p.numel() for module in one_more for p in module.parameters())
    count = sum(p.numel() for p in theirs.parameters())
    assert sum(p.numel() for p in ours.parameters()) == count + more == count + 64 * 64 + 2 * 64


def test_a_block_of_version_1_adds_its_shortcut_before_the_last_nonlinearity() -> None:
    block = built("resnet18").eval().block_group2_0
    nn.init.normal_(block.norm2.weight)
    x = torch.randn(2, 8, 6, 6)
    hidden = relu(block.norm1(conv2d(x, block.conv1.weight, stride=2, padding=1)))
    change = block.norm2(conv2d(hidden, block.conv2.weight, padding=1))
    shortcut = block.norm0(conv2d(x, block.conv0.weight, stride=2))
    torch.testing.assert_close(block(x), relu(change + shortcut))


def test_a_block_of_version_2_takes_its_shortcut_after_the_first_nonlinearity() -> None:
    network = built("resnet18v2").eval()
    first, second = network.block_layer2_0, network.block_layer2_1
    x = torch.randn(2, 8, 6, 6)

    def change(block: nn.Module, x: Tensor, stride: int) -> tuple[Tensor, Tensor]:
        active = relu(block.norm0(x))
        hidden = relu(block.norm1(conv2d(active, block.conv1.weight, stride=stride, padding=1)))
        return conv2d(hidden, block.conv2.weight, padding=1), active

    added, active = change(first, x, 2)
    middle = added + conv2d(active, first.conv0.weight, stride=2)
    torch.testing.assert_close(first(x), middle)
    torch.testing.assert_close(second(middle), change(second, middle, 1)[0] + middle)


def test_a_network_of_version_2_normalises_once_more_before_the_mean() -> None:
    names = [name for name, _ in built("resnet34v2").named_children()]
    assert names[:2] == ["conv0", "block_layer1_0"]
    assert names[-6:] == ["block_layer4_2", "norm", "relu", "pool", "flatten", "dense"]


def test_a_block_of_version_1_begins_as_its_shortcut() -> None:
    block = built("resnet18").block_group1_1
    x = relu(torch.randn(5, 8, 4, 4))
    torch.testing.assert_close(block(x), x)


@pytest.mark.parametrize(("name", "expected"), [("resnet18", 0.01), ("resnet18v2", None)])
def test_weights_are_drawn_as_published(name: str, expected: float | None) -> None:
    network = built(name, width=64)
    convolutions = [m for m in network.modules() if isinstance(m, nn.Conv2d)]
    assert all(layer.bias is None for layer in convolutions)
    for layer in convolutions[1:]:
        fan_in = layer.weight[0].numel()
        assert layer.weight.var().item() * fan_in == pytest.approx(1, rel=0.06)
    glorot = (2 / (512 + 7)) ** 0.5
    assert network.dense.weight.std().item() == pytest.approx(expected or glorot, rel=0.05)
    assert not network.dense.bias.any()


def test_the_published_stem_reduces_an_image_to_a_quarter_and_the_small_one_keeps_it() -> None:
    x = torch.randn(1, 3, 64, 64)
    published = built("resnet18", 64, stem="published")
    assert published[:4](x).shape[2:] == (16, 16)
    assert isinstance(published.pool0, nn.MaxPool2d)
    assert vars(published.pool0) == vars(pool(nn.MaxPool2d, 3, (32, 32)))
    assert built("resnet18", 64)[:3](x).shape[2:] == (64, 64)


@pytest.mark.parametrize("name", ["resnet18", "resnet18v2"])
def test_every_normalisation_has_the_momentum_asked_for(name: str) -> None:
    network = built(name, batch_norm_momentum=0.003)
    found = {m.momentum for m in network.modules() if isinstance(m, nn.BatchNorm2d)}
    assert found == {0.003}
