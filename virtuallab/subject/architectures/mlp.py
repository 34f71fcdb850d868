"""A multilayer perceptron."""

from __future__ import annotations

import math
from collections import OrderedDict
from dataclasses import dataclass
from itertools import pairwise

import torch

from virtuallab.fields import Counts, setting
from virtuallab.registry import ARCHITECTURES
from virtuallab.subject.architecture import Architecture, Shape, Site


@ARCHITECTURES.register("mlp")
@dataclass(frozen=True, kw_only=True)
class MLP(Architecture):
    """Multilayer perceptron: dense layers ``fc1``, ``fc2``, ... with ReLU between them."""

    hidden: Counts = setting((128, 64), unit="units", doc="Units of each hidden layer.")

    def build(self, stimulus_shape: Shape, outputs: int) -> torch.nn.Module:
        """Network of dense layers with ReLU between them."""
        widths = (math.prod(stimulus_shape), *self.hidden)
        layers: OrderedDict[str, torch.nn.Module] = OrderedDict(flatten=torch.nn.Flatten())
        for number, (before, after) in enumerate(pairwise(widths), start=1):
            layers[f"fc{number}"] = torch.nn.Linear(before, after)
            layers[f"relu{number}"] = torch.nn.ReLU()
        layers[f"fc{len(widths)}"] = torch.nn.Linear(widths[-1], outputs)
        return torch.nn.Sequential(layers)

    def sites(self, module: torch.nn.Module) -> dict[str, Site]:
        """Sites of each layer after its ReLU, and of the last layer."""
        last = len(self.hidden) + 1
        hidden = {f"fc{i}": Site(f"fc{i}", f"relu{i}") for i in range(1, last)}
        return {**hidden, f"fc{last}": Site(f"fc{last}", f"fc{last}")}
