"""Small networks that together have every kind of layer that a population replaces."""

from __future__ import annotations

import torch
from torch import nn


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


NETS = {"strided": strided, "even_kernel": even_kernel, "dense": dense}


def initialised_module(name: str, seed: int) -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return NETS[name]().double()


def images(seed: int, count: int = 7, subjects: int = 1) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(count, subjects, 8, 8, generator=generator, dtype=torch.float64)
