"""Populations: S networks of one architecture, run as one network with S groups.

Activations are ``(batch, subject*channel, height, width)`` or ``(batch, subject*feature)``, so that
operations on single channels (ReLU, pooling, flattening, residual sums) need no change. Only layers
that mix channels are replaced: convolutions become grouped, dense layers become batched matrix
products, normalisations use the statistics of each subject, and dropout draws from each subject's
stream. With one subject the population *is* the ordinary network.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from virtuallab.errors import UserError
from virtuallab.seeds import integer
from virtuallab.subject.network.layer import PopulationLayer, stacked
from virtuallab.subject.network.synapse import Conv, Dense


class PopulationConv2d(PopulationLayer, nn.Module):
    """Convolutions of S subjects as one grouped convolution."""

    def __init__(self, layers: Sequence[nn.Conv2d]) -> None:
        super().__init__(layers)
        first = layers[0]
        if first.padding_mode != "zeros":
            raise UserError(
                f"a population cannot pad with {first.padding_mode!r}, only with zeros."
            )
        self.stride, self.dilation = _pair(first.stride), _pair(first.dilation)
        self.groups = first.groups
        self.padding, self.trim = _padding(first)

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(batch, subject*in, height, width)`` to ``(batch, subject*out, ...)``."""
        if self.trim:  # with 'same', an even kernel is padded more on one side
            x = nn.functional.pad(x, self.trim)
        # Channels last in memory: on a CPU, groups of few channels convolve up to six times as
        # fast, and pooling has a vectorised kernel. Later operations keep the layout.
        x = x.contiguous(memory_format=torch.channels_last)
        field = (x.shape[-2], x.shape[-1])
        synapse = Conv(self.stride, self.padding, self.dilation, self.groups, field)
        return self.carry(x, synapse)


class PopulationLinear(PopulationLayer, nn.Module):
    """Dense layers of S subjects as one batched matrix product."""

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(batch, subject*in)`` to ``(batch, subject*out)``."""
        by_subject = x.view(len(x), len(self.weight), -1).transpose(0, 1)
        return self.carry(by_subject, Dense()).transpose(0, 1).flatten(1)


class PopulationBatchNorm(nn.Module):
    """Batch normalisation by the statistics of each subject's own channels."""

    running_mean: Tensor | None
    running_var: Tensor | None

    def __init__(self, layers: Sequence[nn.BatchNorm1d] | Sequence[nn.BatchNorm2d]) -> None:
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
        mean, var, weight, bias = (
            None if tensor is None else tensor.view(-1)
            for tensor in (self.running_mean, self.running_var, self.weight, self.bias)
        )
        by_batch = self.training or mean is None
        momentum = self.momentum or 0.0
        return nn.functional.batch_norm(x, mean, var, weight, bias, by_batch, momentum, self.eps)


class PopulationLocalResponseNorm(nn.Module):
    """Local response normalisation over each subject's own channels."""

    def __init__(self, layers: Sequence[nn.LocalResponseNorm]) -> None:
        super().__init__()
        self.norm, self.subjects = copy.deepcopy(layers[0]), len(layers)

    def forward(self, x: Tensor) -> Tensor:
        """Normalise across the channels of each subject."""
        split = x.reshape(len(x) * self.subjects, -1, *x.shape[2:])
        joined: Tensor = self.norm(split).reshape(x.shape)
        return joined


class PopulationDropout(nn.Module):
    """Dropout with masks from each subject's own stream."""

    def __init__(self, rate: float, seeds: Sequence[int]) -> None:
        super().__init__()
        self.rate = rate
        self.streams = [torch.Generator().manual_seed(seed) for seed in seeds]

    def forward(self, x: Tensor) -> Tensor:
        """Set units to zero with probability ``rate`` and scale up the others, in training only."""
        if not self.training or self.rate == 0:
            return x
        share = (len(x), x.shape[1] // len(self.streams), *x.shape[2:])
        masks = [torch.rand(share, generator=g, dtype=torch.float64) for g in self.streams]
        kept = torch.cat(masks, 1).to(x.device) >= self.rate
        return x * kept / (1 - self.rate)


_LAYERS: Mapping[type[nn.Module], Any] = {
    nn.Conv2d: PopulationConv2d,
    nn.Linear: PopulationLinear,
    nn.BatchNorm1d: PopulationBatchNorm,
    nn.BatchNorm2d: PopulationBatchNorm,
    nn.LocalResponseNorm: PopulationLocalResponseNorm,
}

# Operations on single channels.
_UNCHANGED = (
    nn.ReLU, nn.ReLU6, nn.LeakyReLU, nn.ELU, nn.GELU, nn.SiLU, nn.Sigmoid, nn.Tanh, nn.Softplus,
    nn.MaxPool2d, nn.AvgPool2d, nn.AdaptiveAvgPool2d, nn.AdaptiveMaxPool2d, nn.Identity,
    nn.ZeroPad2d, nn.Upsample,
)  # fmt: skip


def populate(modules: Sequence[nn.Module], seeds: Sequence[int] = ()) -> nn.Module:
    """One module with S groups, made from S ordinary modules of one architecture.

    Parameters
    ----------
    modules : sequence of nn.Module
        Initialised network of each subject; not changed.
    seeds : sequence of int
        Seed of each subject's dropout; by default the number of the subject.

    Returns
    -------
    nn.Module
        Same structure and names; parameters and running averages have a leading subject axis.

    Raises
    ------
    UserError
        If a layer mixes channels and is not one of the known layers.
    """
    streams = list(seeds) or list(range(len(modules)))
    # Copied, since a shared module would share its hooks with other populations.
    return _populate(copy.deepcopy(modules[0]), modules, streams, "")


def _populate(
    shell: nn.Module, modules: Sequence[nn.Module], seeds: Sequence[int], path: str
) -> nn.Module:
    """Replace the layers of ``shell``, a copy of the first module, by layers of a population."""
    first = modules[0]
    if type(first) in _LAYERS:
        layer: nn.Module = _LAYERS[type(first)](modules)
        return layer.train(first.training)
    if type(first) is nn.Dropout:
        return PopulationDropout(first.p, [integer(seed, path) for seed in seeds])
    if isinstance(first, nn.Flatten):
        if (first.start_dim, first.end_dim) != (1, -1):
            raise UserError(
                f"layer {path!r}: a population can only flatten everything but the batch."
            )
        return shell
    is_leaf = not any(True for _ in first.children())
    from_torch = type(first).__module__.startswith("torch.nn")
    if is_leaf and from_torch and not isinstance(first, _UNCHANGED):
        raise UserError(
            f"layer {path!r} is a {type(first).__name__}, which a population cannot be made of. "
            f"Known: {', '.join(sorted(kind.__name__ for kind in (*_LAYERS, *_UNCHANGED)))}."
        )
    if any(True for _ in first.parameters(recurse=False)):
        raise UserError(f"layer {path!r} keeps parameters of its own, outside the known layers.")
    for name, child in shell.named_children():
        children = [getattr(module, name) for module in modules]
        setattr(shell, name, _populate(child, children, seeds, f"{path}.{name}".lstrip(".")))
    return shell


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
