"""Pooling, stems and initial weights as TensorFlow defines them.

The networks of Nayebi et al. 2020 were written for TensorFlow 1.13, whose pooling covers an odd
image from both sides and an even one from its start, and whose initialisers cut the tails of normal
distributions.
"""

from __future__ import annotations

from typing import Literal

import torch

Stem = Literal["small", "published"]

_SHRINKAGE = 0.87962566103423978  # SD of a standard normal distribution cut at two SDs


def halved(size: tuple[int, int]) -> tuple[int, int]:
    """Height and width after pooling with stride 2, where every pixel is covered."""
    return -(-size[0] // 2), -(-size[1] // 2)


def pool(
    kind: type[torch.nn.MaxPool2d] | type[torch.nn.AvgPool2d],
    window: Literal[2, 3],
    size: tuple[int, int],
) -> torch.nn.Module:
    """Pooling with stride 2 and TensorFlow's padding ``SAME``.

    Parameters
    ----------
    kind : type
        ``MaxPool2d`` or ``AvgPool2d`` of torch; the mean is over pixels of the image alone.
    window : int
        Height and width of the window, in pixels.
    size : (height, width)
        Of the images that are pooled; the result has the size that :func:`halved` returns.

    Returns
    -------
    torch.nn.Module
    """
    padding = (window - 2) * (size[0] % 2), (window - 2) * (size[1] % 2)
    further = {"count_include_pad": False} if kind is torch.nn.AvgPool2d else {}
    return kind(window, stride=2, padding=padding, ceil_mode=True, **further)


def draw_truncated_normal(weight: torch.Tensor, sd: float) -> None:
    """Draw weights from a normal distribution that is cut at two of its standard deviations."""
    torch.nn.init.trunc_normal_(weight, std=sd, a=-2 * sd, b=2 * sd)


def draw_by_fan_in(weight: torch.Tensor) -> None:
    """Draw weights ``(post, pre, ...)`` with variance 1 / inputs from a truncated normal one."""
    draw_truncated_normal(weight, weight[0].numel() ** -0.5 / _SHRINKAGE)


def local_response_norm(radius: int, alpha: float) -> torch.nn.LocalResponseNorm:
    """Local response normalisation with constants as TensorFlow counts them, and exponent 0.75.

    The radius counts to both sides. ``alpha`` scales the sum of squares; torch divides its own by
    the window.
    """
    window = 2 * radius + 1
    return torch.nn.LocalResponseNorm(window, alpha=alpha * window, beta=0.75, k=1.0)


def dense(before: int, after: int, sd: float) -> torch.nn.Linear:
    """Dense layer with normal weights of a standard deviation, and biases of zero."""
    layer = torch.nn.Linear(before, after)
    torch.nn.init.normal_(layer.weight, std=sd)
    torch.nn.init.zeros_(layer.bias)
    return layer


def convolution(before: int, after: int, kernel: int, stride: int) -> torch.nn.Conv2d:
    """Convolution without bias, padded by half its kernel, with weights drawn by fan-in."""
    layer = torch.nn.Conv2d(before, after, kernel, stride, padding=kernel // 2, bias=False)
    draw_by_fan_in(layer.weight)
    return layer
