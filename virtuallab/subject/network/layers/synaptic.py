"""Layers with weights that rules change: convolutions, transposed convolutions and dense layers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from virtuallab.subject.network.layer import PopulationLayer
from virtuallab.subject.network.synapse import Conv, Dense, Pointwise, TransposedConv


def channels_last(x: Tensor) -> Tensor:
    """Signal of a convolution, with its channels last in memory.

    On a CPU, groups of few channels then convolve up to six times as fast, and pooling has a
    vectorised kernel. Later operations keep the layout.
    """
    return x.contiguous(memory_format=torch.channels_last)


def by_subject(x: Tensor, subjects: int) -> Tensor:
    """Signal ``(subject, batch, unit)`` of a dense layer, from ``(batch, subject*unit)``."""
    return x.view(len(x), subjects, -1).transpose(0, 1)


def together(signal: Tensor) -> Tensor:
    """Inverse of :func:`by_subject`."""
    return signal.transpose(0, 1).flatten(1)


class PopulationConv2d(PopulationLayer, nn.Module):
    """Convolutions of S subjects as one grouped convolution."""

    def __init__(self, layers: Sequence[nn.Conv2d]) -> None:
        super().__init__(layers)
        first = layers[0]
        self.stride, self.dilation = _pair(first.stride), _pair(first.dilation)
        self.groups = first.groups
        self.padding, self.trim = _padding(first)
        self.padding_mode = first.padding_mode
        if self.padding_mode != "zeros":  # which only a separate operation can do
            (height, width), trim = self.padding, self.trim or (0, 0, 0, 0)
            around = (width, width, height, height)
            self.trim = tuple(a + b for a, b in zip(around, trim, strict=True))
            self.padding = (0, 0)

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(batch, subject*in, height, width)`` to ``(batch, subject*out, ...)``."""
        if self.trim:  # with 'same', an even kernel is padded more on one side
            mode = "constant" if self.padding_mode == "zeros" else self.padding_mode
            x = nn.functional.pad(x, self.trim, mode)
        x = channels_last(x)
        return self.carry(x, self.synapse(x))

    def synapse(self, x: Tensor) -> Conv:
        """Linear map of an input that is padded."""
        field = (x.shape[-2], x.shape[-1])
        return Conv(self.stride, self.padding, self.dilation, self.groups, field)


class PopulationConv1d(PopulationConv2d):
    """Convolutions along one axis, as convolutions of images of height 1.

    The weight is ``(subject, post, pre, 1, width)``.
    """

    def __init__(self, layers: Sequence[nn.Conv1d]) -> None:
        super().__init__([_as_conv2d(layer) for layer in layers])

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(batch, subject*in, width)`` to ``(batch, subject*out, ...)``."""
        return super().forward(x.unsqueeze(2)).squeeze(2)


class PopulationConvTranspose2d(PopulationLayer, nn.Module):
    """Transposed convolutions of S subjects as one grouped transposed convolution.

    The weight is ``(subject, post, pre, height, width)``, unlike torch's, which has ``pre`` first.
    """

    def __init__(self, layers: Sequence[nn.ConvTranspose2d]) -> None:
        super().__init__(layers)
        first = layers[0]
        self.stride, self.dilation = _pair(first.stride), _pair(first.dilation)
        padding = first.padding
        assert not isinstance(padding, str)  # torch has none by name
        self.padding, self.added = _pair(padding), _pair(first.output_padding)
        self.groups = first.groups
        subjects, _, outputs, *size = self.weight.shape
        groups = self.weight.detach().view(subjects, self.groups, -1, outputs, *size)
        weight = groups.transpose(2, 3).reshape(subjects, self.groups * outputs, -1, *size)
        self.weight = nn.Parameter(weight)

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(batch, subject*in, height, width)`` to ``(batch, subject*out, ...)``."""
        x = channels_last(x)
        geometry = (self.stride, self.padding, self.added, self.dilation)
        field = (x.shape[-2], x.shape[-1])
        return self.carry(x, TransposedConv(*geometry, self.groups, field))


class PopulationLinear(PopulationLayer, nn.Module):
    """Dense layers of S subjects as one batched matrix product.

    An input of more than two axes has positions between the batch and the features, such as the
    tokens of a sequence, at each of which the layer is used. Its subjects are in the last axis,
    ``(batch, token, subject*in)``, or in the second, ``(batch, subject*channel, in)``.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(batch, subject*in)`` to ``(batch, subject*out)``."""
        subjects = len(self.weight)
        if x.dim() == 2:
            return together(self.carry(by_subject(x, subjects), Dense()))
        width = self.weight.shape[2]
        if x.shape[-1] == subjects * width:
            signal = x.reshape(len(x), 1, -1, x.shape[-1]).permute(0, 3, 1, 2)
            response = self.carry(signal, Pointwise())
            return response.permute(0, 2, 3, 1).reshape(*x.shape[:-1], -1)
        # (batch, subject, position, in) -> (batch, subject*in, 1, position)
        parts = x.reshape(len(x), subjects, -1, width).transpose(2, 3)
        response = self.carry(parts.reshape(len(x), subjects * width, 1, -1), Pointwise())
        parts = response.view(len(x), subjects, -1, parts.shape[3]).transpose(2, 3)
        return parts.reshape(*x.shape[:-1], -1)


def _as_conv2d(layer: nn.Conv1d) -> nn.Conv2d:
    """Convolution of images of height 1 with the weight and bias of a layer."""
    (stride,), (dilation,), (width,) = layer.stride, layer.dilation, layer.kernel_size
    padding = layer.padding
    with torch.device("meta"):  # no weights are drawn
        conv = nn.Conv2d(
            layer.in_channels,
            layer.out_channels,
            (1, width),
            stride=(1, stride),
            padding=padding if isinstance(padding, str) else (0, padding[0]),
            dilation=(1, dilation),
            groups=layer.groups,
            padding_mode=layer.padding_mode,
        )
    conv.weight = nn.Parameter(layer.weight.detach().unsqueeze(2))
    conv.bias = layer.bias
    return conv


def _padding(layer: nn.Conv2d) -> tuple[tuple[int, int], tuple[int, ...]]:
    """Padding on both sides, and the additional padding of 'same' on one side."""
    if layer.padding == "valid":
        return (0, 0), ()
    if layer.padding != "same":
        return _pair(layer.padding), ()
    total = [d * (k - 1) for d, k in zip(layer.dilation, layer.kernel_size, strict=True)]
    uneven = (0, total[1] % 2, 0, total[0] % 2)
    return (total[0] // 2, total[1] // 2), uneven if any(uneven) else ()


def _pair(values: Any) -> tuple[int, int]:
    height, width = values
    return int(height), int(width)
