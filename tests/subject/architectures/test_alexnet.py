from __future__ import annotations

import pytest
import torch
from torch import nn

from virtuallab.errors import UserError
from virtuallab.registry import ARCHITECTURES
from virtuallab.subject.architecture import Site

pytestmark = pytest.mark.usefixtures("own_random_streams")


def built(size: int = 8, **settings: object) -> nn.Sequential:
    network: nn.Sequential = ARCHITECTURES["alexnet"](**settings).build((3, size, size), 7)
    return network


@pytest.mark.parametrize("normalisation", ["none", "local_response"])
def test_it_has_the_published_order_of_layers(normalisation: str) -> None:
    norm1, norm2 = (["norm1"], ["norm2"]) if normalisation == "local_response" else ([], [])
    expected = ["conv1", "relu1", *norm1, "pool1", "conv2", "relu2", *norm2, "pool2"]
    expected += ["conv3", "relu3", "pad4", "conv4", "relu4", "conv5", "relu5", "pool5", "flatten"]
    expected += ["fc6", "relu6", "dropout6", "fc7", "relu7", "dropout7", "fc8"]
    network = built(normalisation=normalisation)
    assert [name for name, _ in network.named_children()] == expected


def test_a_layer_is_recorded_after_its_nonlinearity_and_the_last_one_at_its_output() -> None:
    sites = ARCHITECTURES["alexnet"]().sites(built())
    assert sites["conv5"] == Site("conv5", "relu5")
    assert sites["fc7"] == Site("fc7", "relu7")
    assert sites["fc8"] == Site("fc8", "fc8")


def test_the_published_size_has_the_published_kernels() -> None:
    with torch.device("meta"):
        network = built(224, width=96, stem="published")
    layers = [m for m in network if isinstance(m, nn.Conv2d | nn.Linear)]
    assert [(m.out_channels, m.kernel_size[0]) for m in layers[:5]] == [
        (96, 11), (256, 5), (384, 3), (384, 4), (256, 3)
    ]  # fmt: skip
    assert (layers[0].stride, layers[0].padding) == ((4, 4), (0, 0))
    assert [(m.in_features, m.out_features) for m in layers[5:]] == [
        (256 * 7 * 7, 4096), (4096, 4096), (4096, 7)
    ]  # fmt: skip


@pytest.mark.parametrize("size", [11, 63, 64, 97])
def test_the_published_stem_fits_every_size_from_its_kernel(size: int) -> None:
    network = built(size, width=3, stem="published").eval()
    assert network(torch.zeros(1, 3, size, size)).shape == (1, 7)


def test_an_image_below_the_published_kernel_is_refused() -> None:
    with pytest.raises(UserError, match=r"needs images of 11 x 11 pixels at least, found 8 x 8"):
        built(8, stem="published")


def test_all_layers_are_in_proportion_to_the_first() -> None:
    layers = [m for m in built(width=3) if isinstance(m, nn.Conv2d | nn.Linear)]
    assert [len(m.weight) for m in layers] == [3, 8, 12, 12, 8, 128, 128, 7]


def test_the_published_initial_weights() -> None:
    network = built(width=48, initial_weights="published")
    fan_in, fan_out = 48 * 25, 128 * 25
    bound = (6 / (fan_in + fan_out)) ** 0.5
    assert network.conv2.weight.abs().max().item() == pytest.approx(bound, rel=1e-3)
    assert network.fc7.weight.abs().max().item() == pytest.approx(0.02, rel=1e-3)
    biases = [network.get_submodule(f"fc{i}").bias.unique().item() for i in (6, 7, 8)]
    assert biases == pytest.approx([0.1, 0.1, 0])
    assert not network.conv1.bias.any()


def test_initial_weights_keep_the_size_of_signals_unless_they_are_published() -> None:
    network = built(width=48)
    for layer in (network.conv2, network.conv4, network.fc7):
        assert layer.weight.var().item() * layer.weight[0].numel() == pytest.approx(2, rel=0.05)
        assert not layer.bias.any()
