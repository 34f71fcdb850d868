"""Normalisations of a population, each by the statistics of one subject.

In mixed precision the statistics are in float32. Torch's batch normalisation computes them so from
signals in bfloat16; the other layers convert their input, and convert the result back.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from functools import cache

import torch
from torch import Tensor, nn

from virtuallab.errors import UserError
from virtuallab.subject.network.layer import stacked
from virtuallab.subject.network.precision import full_precision, promoted


class PopulationBatchNorm(nn.Module):
    """Batch normalisation by the statistics of each subject's own channels."""

    running_mean: Tensor | None
    running_var: Tensor | None

    def __init__(
        self, layers: Sequence[nn.BatchNorm1d | nn.BatchNorm2d | nn.InstanceNorm2d]
    ) -> None:
        super().__init__()
        first = layers[0]
        self.eps, self.momentum = first.eps, first.momentum
        if self.momentum is None:
            raise UserError("a population needs a batch normalisation with a momentum.")
        self.weight = stacked(layers, "weight") if first.affine else None
        self.bias = stacked(layers, "bias") if first.affine else None
        for name in ("running_mean", "running_var"):
            kept = [getattr(layer, name) for layer in layers]
            self.register_buffer(name, None if kept[0] is None else torch.stack(kept))

    def forward(self, x: Tensor) -> Tensor:
        """Normalise over batch and positions."""
        return self._normalised(x, nn.functional.batch_norm)

    def _normalised(self, x: Tensor, by: Callable[..., Tensor]) -> Tensor:
        return by(x, *self.flat(), self.by_batch, self.momentum or 0.0, self.eps)

    @property
    def by_batch(self) -> bool:
        """True if means and variances are those of the batch."""
        return self.training or self.running_mean is None

    def flat(self) -> tuple[Tensor | None, ...]:
        """Running mean and variance, weight and bias, each ``(subject*channel,)``."""
        tensors = (self.running_mean, self.running_var, self.weight, self.bias)
        return tuple(None if tensor is None else tensor.view(-1) for tensor in tensors)


class PopulationInstanceNorm(PopulationBatchNorm):
    """Normalisation of each channel over the positions of one sample."""

    def forward(self, x: Tensor) -> Tensor:
        """Normalise over positions."""
        with full_precision(x):
            return self._normalised(promoted(x), nn.functional.instance_norm).to(x.dtype)


class PopulationGroupNorm(nn.Module):
    """Group normalisation, with the groups of each subject."""

    def __init__(self, layers: Sequence[nn.GroupNorm]) -> None:
        super().__init__()
        first = layers[0]
        self.groups, self.eps = len(layers) * first.num_groups, first.eps
        self.weight = stacked(layers, "weight") if first.affine else None
        self.bias = stacked(layers, "bias") if first.affine else None

    def forward(self, x: Tensor) -> Tensor:
        """Normalise over the channels of a group and positions."""
        weight, bias = (None if p is None else p.view(-1) for p in (self.weight, self.bias))
        with full_precision(x):
            normal = nn.functional.group_norm(promoted(x), self.groups, weight, bias, self.eps)
        return normal.to(x.dtype)


class PopulationLayerNorm(nn.Module):
    """Layer normalisation over the last axes of each subject's signal.

    Subjects are in the first of these axes, as in ``(batch, token, subject*feature)``, or in the
    second axis of the signal if the last axes have the size of one subject's.
    """

    def __init__(self, layers: Sequence[nn.LayerNorm]) -> None:
        super().__init__()
        first = layers[0]
        self.subjects, self.shape, self.eps = len(layers), tuple(first.normalized_shape), first.eps
        self.weight = None if first.weight is None else stacked(layers, "weight")
        self.bias = None if first.bias is None else stacked(layers, "bias")

    def forward(self, x: Tensor) -> Tensor:
        """Normalise over the last axes."""
        axes = len(self.shape)
        positions = x.dim() - axes
        if x.shape[positions:] == self.shape:
            parts = x.view(len(x), self.subjects, -1, *x.shape[2:])
            between = positions - 1  # axes of a parameter between subject and normalised axes
        else:
            parts = x.view(*x.shape[:positions], self.subjects, *self.shape)
            between = 0
        with full_precision(x):
            normal = nn.functional.layer_norm(promoted(parts), self.shape, eps=self.eps)
        weight, bias = (
            None if p is None else p.view(self.subjects, *[1] * between, *self.shape)
            for p in (self.weight, self.bias)
        )
        normal = normal if weight is None else normal * weight
        return (normal if bias is None else normal + bias).view(x.shape).to(x.dtype)


class PopulationLocalResponseNorm(nn.Module):
    """Local response normalisation over each subject's own channels.

    The sum over neighbouring channels is a product with a band matrix: torch's own layer takes a
    three-dimensional mean instead, and two to three times as long on a CPU.
    """

    def __init__(self, layers: Sequence[nn.LocalResponseNorm]) -> None:
        super().__init__()
        self.norm, self.subjects = copy.deepcopy(layers[0]), len(layers)

    def forward(self, x: Tensor) -> Tensor:
        """Normalise across the channels of each subject."""
        norm, split = self.norm, promoted(x).reshape(len(x) * self.subjects, -1, *x.shape[2:])
        band = _band(split.shape[1], norm.size, split.dtype, x.device)
        with full_precision(x):
            squares = (band @ split.square().flatten(2)).view_as(split)
        scale = (squares * (norm.alpha / norm.size) + norm.k).pow(norm.beta)
        return (split / scale).reshape(x.shape).to(x.dtype)


@cache
def _band(channels: int, size: int, dtype: torch.dtype, device: torch.device) -> Tensor:
    """Matrix that sums the ``size`` neighbours of each channel, ``(channel, channel)``."""
    ones = torch.ones(channels, channels, dtype=dtype, device=device)
    return ones.triu(-(size // 2)).tril((size - 1) // 2)
