from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn

from virtuallab.subject.architectures._layers import (
    dense,
    draw_by_fan_in,
    draw_truncated_normal,
    halved,
    local_response_norm,
    pool,
)

pytestmark = pytest.mark.usefixtures("own_random_streams")


def same(x: Tensor, window: int, reduce: str) -> Tensor:
    """Pooling with stride 2 and padding SAME, as TensorFlow documents it."""
    rows = []
    starts = []
    for size in x.shape[2:]:
        total = max((math.ceil(size / 2) - 1) * 2 + window - size, 0)
        starts.append(range(-(total // 2), size - window + total - total // 2 + 1, 2))
    for top in starts[0]:
        row = []
        for left in starts[1]:
            part = x[:, :, max(top, 0) : top + window, max(left, 0) : left + window]
            row.append(part.amax((2, 3)) if reduce == "max" else part.mean((2, 3)))
        rows.append(torch.stack(row, -1))
    return torch.stack(rows, -2)


@pytest.mark.parametrize("size", [(1, 1), (2, 3), (7, 8), (8, 8), (9, 5), (28, 14)])
@pytest.mark.parametrize("window", [2, 3])
def test_pooling_covers_an_image_as_tensorflow_does(window: int, size: tuple[int, int]) -> None:
    x = torch.randn(2, 3, *size)
    for kind, reduce in ((nn.MaxPool2d, "max"), (nn.AvgPool2d, "mean")):
        found = pool(kind, window, size)(x)
        assert tuple(found.shape[2:]) == halved(size)
        torch.testing.assert_close(found, same(x, window, reduce))


def test_a_truncated_normal_distribution_has_no_tails() -> None:
    weight = torch.empty(100_000)
    draw_truncated_normal(weight, 0.5)
    assert weight.abs().max() <= 1
    # Variance of a standard normal distribution cut at 2: 1 - 4 phi(2) / (2 Phi(2) - 1).
    expected = 0.5 * math.sqrt(1 - 4 * math.exp(-2) / math.sqrt(2 * math.pi) / math.erf(2**0.5))
    assert weight.std().item() == pytest.approx(expected, rel=0.01)


def test_weights_drawn_by_fan_in_have_the_variance_of_one_over_their_inputs() -> None:
    weight = torch.empty(400, 16, 3, 3)
    draw_by_fan_in(weight)
    assert weight.var().item() == pytest.approx(1 / (16 * 9), rel=0.02)


def test_a_dense_layer_has_normal_weights_and_no_bias_at_first() -> None:
    layer = dense(400, 300, 0.01)
    assert layer.weight.std().item() == pytest.approx(0.01, rel=0.02)
    assert not layer.bias.any()


def test_local_response_normalisation_divides_by_the_sum_over_the_radius() -> None:
    x = torch.randn(2, 9, 3, 3) * 100
    found = local_response_norm(radius=2, alpha=1e-3)(x)
    for channel in range(9):
        near = x[:, max(0, channel - 2) : channel + 3]
        expected = x[:, channel] / (1 + 1e-3 * near.square().sum(1)) ** 0.75
        torch.testing.assert_close(found[:, channel], expected)
