from __future__ import annotations

import pytest
import torch
from torch import nn

from virtuallab.fields import plugin_data
from virtuallab.registry import ARCHITECTURES

pytestmark = pytest.mark.usefixtures("own_random_streams")


def layers(name: str, normalisation: str, channels: tuple[int, ...]) -> list[str]:
    architecture = ARCHITECTURES[name](normalisation=normalisation, channels=channels)
    return [path for path, _ in architecture.build((1, 8, 8), 10).named_children()]


@pytest.mark.parametrize(
    ("normalisation", "first", "second", "third"),
    [
        ("batch", "conv pool norm relu", "conv relu pool norm", "conv relu pool norm"),
        ("local_response", "conv pool relu norm", "conv relu pool norm", "conv relu pool"),
        ("none", "conv pool relu", "conv relu pool", "conv relu pool"),
    ],
)
def test_knet4_has_the_published_order_of_layers(
    normalisation: str, first: str, second: str, third: str
) -> None:
    expected = [
        f"{part}{number}"
        for number, order in enumerate((first, second, third), start=1)
        for part in order.split()
    ]
    assert layers("knet4", normalisation, (8, 16, 16)) == [*expected, "flatten", "fc4"]


@pytest.mark.parametrize("normalisation", ["batch", "local_response", "none"])
def test_knet5_is_knet4_and_one_more_convolution(normalisation: str) -> None:
    four = layers("knet4", normalisation, (8, 16, 16))
    five = layers("knet5", normalisation, (8, 16, 16, 32))
    norm = ["norm4"] if normalisation == "batch" else []
    assert five == [*four[:-2], "conv4", "relu4", "pool4", *norm, "flatten", "fc5"]


def test_the_first_layer_pools_by_the_maximum_and_later_ones_by_the_mean() -> None:
    network = ARCHITECTURES["knet5"]().build((1, 8, 8), 10)
    kinds = [type(module) for name, module in network.named_children() if "pool" in name]
    assert kinds == [nn.MaxPool2d, nn.AvgPool2d, nn.AvgPool2d, nn.AvgPool2d]


def test_local_response_normalisation_has_the_published_constants() -> None:
    norm = ARCHITECTURES["knet4"](normalisation="local_response").build((1, 8, 8), 10).norm1
    x = torch.randn(2, 9, 1, 1, generator=torch.Generator().manual_seed(0)) * 100
    for channel in range(9):
        near = x[:, max(0, channel - 3) : channel + 4]  # radius 3
        expected = x[:, channel] / (1 + 5e-5 * near.square().sum(1)) ** 0.75
        torch.testing.assert_close(norm(x)[:, channel], expected)


def test_batch_normalisation_acts_on_channels() -> None:
    network = ARCHITECTURES["knet4"](channels=(3, 5, 7)).build((1, 28, 28), 10)
    assert [network.get_submodule(f"norm{i}").num_features for i in (1, 2, 3)] == [3, 5, 7]


def test_the_published_network_pools_over_windows_of_3_and_draws_small_weights() -> None:
    architecture = ARCHITECTURES["knet4"](
        channels=(32, 32, 64), kernel=5, pooling=3, initial_weights="published"
    )
    network = architecture.build((3, 32, 32), 10)
    assert [network.get_submodule(f"pool{i}").kernel_size for i in (1, 2, 3)] == [3, 3, 3]
    assert network.fc4.in_features == 64 * 4 * 4
    deviations = [network.get_submodule(n).weight.std().item() for n in ("conv1", "conv2", "fc4")]
    assert deviations == pytest.approx([1e-4, 0.01, 0.01], rel=0.05)
    assert not any(m.bias.any() for m in network if isinstance(m, nn.Conv2d | nn.Linear))
    assert network.eval()(torch.zeros(2, 3, 32, 32)).shape == (2, 10)


@pytest.mark.parametrize("size", [8, 7, 28])
def test_any_size_is_pooled_over_windows_of_3(size: int) -> None:
    network = ARCHITECTURES["knet5"](pooling=3).build((1, size, size), 10).eval()
    assert network(torch.zeros(2, 1, size, size)).shape == (2, 10)


def test_settings_that_were_added_do_not_change_identities() -> None:
    assert plugin_data(ARCHITECTURES["knet4"]()) == {
        "name": "knet4", "kernel": 3, "normalisation": "batch", "channels": (8, 16, 16)
    }  # fmt: skip
