"""Small networks that together have every kind of layer that a population replaces."""

from __future__ import annotations

import torch
from torch import nn

from virtuallab.subject.network.layers.tokens import DotProductAttention


class Residual(nn.Module):
    """Two convolutions, whose output is added to the input."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(6, 6, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(6)
        self.second = nn.Conv2d(6, 6, 3, padding=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.relu(x + self.second(torch.relu(self.norm(self.first(x)))))


def strided() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(1, 6, 3, stride=2, padding=1),
        nn.ReLU(),
        Residual(),
        nn.Conv2d(6, 4, (3, 2), padding=(2, 1), dilation=(2, 1), groups=2),
        nn.LocalResponseNorm(3),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(16, 5),
        nn.BatchNorm1d(5),
        nn.ReLU(),
        nn.Linear(5, 3),
    )


def even_kernel() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(1, 4, 4, padding="same"),
        nn.ReLU(),
        nn.AvgPool2d(2),
        nn.Flatten(),
        nn.Linear(64, 3),
    )


def dense() -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 16), nn.ReLU(), nn.Linear(16, 3))


class Signal(nn.Module):
    """Rows of an image one after another, as one signal for each channel."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.flatten(2)


def one_axis() -> nn.Module:
    return nn.Sequential(
        Signal(),
        nn.Conv1d(1, 6, 5, stride=3, padding=2),
        nn.GroupNorm(3, 6),
        nn.ReLU(),
        nn.Conv1d(6, 4, 4, padding="same", dilation=2, groups=2, padding_mode="circular"),
        nn.BatchNorm1d(4),
        nn.MaxPool1d(2),
        nn.Flatten(),
        nn.Linear(44, 3),
    )


def grouped() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(1, 6, 3, padding=1, padding_mode="reflect"),
        nn.LayerNorm((6, 8, 8)),
        nn.ReLU(),
        nn.Conv2d(6, 6, 3, padding=1, groups=6),
        nn.InstanceNorm2d(6, affine=True, track_running_stats=True),
        nn.Conv2d(6, 12, 2, stride=2, groups=3),
        nn.LayerNorm(4, elementwise_affine=False),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(192, 3),
    )


def transposed() -> nn.Module:
    return nn.Sequential(
        nn.Flatten(),
        nn.Linear(64, 36),
        nn.Unflatten(1, (4, 3, 3)),
        nn.ConvTranspose2d(4, 6, 3, stride=2, padding=1, output_padding=1, groups=2),
        nn.GroupNorm(2, 6, affine=False),
        nn.ReLU(),
        nn.ConvTranspose2d(6, 2, (2, 3), dilation=(1, 2), bias=False),
        nn.InstanceNorm2d(2),
        nn.Flatten(),
        nn.Linear(140, 3),
    )


class Block(nn.Module):
    """Attention and a multilayer perceptron, each added to its input."""

    def __init__(self) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(6)
        self.query, self.key = nn.Linear(6, 6), nn.Linear(6, 6)
        self.value, self.attention = nn.Linear(6, 6), DotProductAttention(2)
        self.out = nn.Linear(6, 6)
        self.norm2 = nn.LayerNorm(6, bias=False)
        self.wide, self.narrow = nn.Linear(6, 10), nn.Linear(10, 6)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        normal = self.norm1(x)
        mixed = self.attention(self.query(normal), self.key(normal), self.value(normal))
        x = x + self.out(mixed)
        return x + self.narrow(torch.relu(self.wide(self.norm2(x))))


class Transformer(nn.Module):
    """Patches of an image and their positions as tokens."""

    def __init__(self) -> None:
        super().__init__()
        self.patches = nn.Conv2d(1, 6, 2, stride=2)
        self.positions = nn.Embedding(16, 6)
        self.block = Block()
        self.readout = nn.Linear(6, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        tokens = self.patches(x).flatten(2).transpose(1, 2)
        return self.readout(self.block(tokens + self.positions(torch.arange(16))).mean(1))


class Embedded(nn.Module):
    """Tokens by the sign of each pixel, and a perceptron over the tokens of each feature."""

    def __init__(self) -> None:
        super().__init__()
        self.table = nn.Embedding(2, 5, padding_idx=1)
        self.mix = nn.Linear(64, 4)
        self.norm = nn.LayerNorm(4)
        self.readout = nn.Linear(20, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        features = self.table((x > 0).long().flatten(1)).transpose(1, 2)
        return self.readout(torch.tanh(self.norm(self.mix(features))).flatten(1))


FEW_NETS = {"strided": strided, "even_kernel": even_kernel, "dense": dense}
NETS = {
    **FEW_NETS,
    "one_axis": one_axis,
    "grouped": grouped,
    "transposed": transposed,
    "transformer": Transformer,
    "embedded": Embedded,
}


def initialised_module(name: str, seed: int) -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return NETS[name]().double()


def images(seed: int, count: int = 7, subjects: int = 1) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(count, subjects, 8, 8, generator=generator, dtype=torch.float64)


def as_plain(module: nn.Module, path: str, weight: torch.Tensor) -> torch.Tensor:
    """Weight of a population in the layout of its plain layer."""
    layer = module.get_submodule(path.rpartition(".")[0])
    if isinstance(layer, nn.ConvTranspose2d) and weight.dim() == 4:
        groups = weight.unflatten(0, (layer.groups, -1))
        return groups.transpose(1, 2).flatten(0, 1)
    return weight.squeeze(2) if isinstance(layer, nn.Conv1d) and weight.dim() == 4 else weight
