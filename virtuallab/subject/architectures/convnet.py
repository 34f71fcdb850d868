"""A plain convolutional network of any depth."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import Literal

import torch

from virtuallab.fields import Count, NonNegativeInt, setting
from virtuallab.registry import ARCHITECTURES
from virtuallab.subject.architecture import Architecture, Shape, Site
from virtuallab.subject.architectures._layers import halved


@ARCHITECTURES.register("convnet")
@dataclass(frozen=True, kw_only=True)
class ConvNet(Architecture):
    """A plain stack of 3 x 3 convolutions and a dense read-out, for studies of depth.

    Each convolution is followed by its normalisation and ReLU, and each of the first ``pooled``
    convolutions by a maximum over 2 x 2 positions. Depth changes neither the resolution of most
    layers nor the read-out.
    """

    depth: Count = setting(4, unit="layers", doc="Convolutions.")
    channels: Count = setting(16, unit="channels", doc="Channels of each convolution.")
    pooled: NonNegativeInt = setting(
        2, unit="layers", doc="Number of convolutions, from the first, that pooling follows."
    )
    normalisation: Literal["batch", "none"] = setting(
        "batch", doc="Normalisation after each convolution: 'batch' or 'none'."
    )

    def build(self, stimulus_shape: Shape, outputs: int) -> torch.nn.Module:
        """Network of convolutions and a read-out."""
        before, height, width = stimulus_shape
        layers: OrderedDict[str, torch.nn.Module] = OrderedDict()
        for number in range(1, self.depth + 1):
            layers[f"conv{number}"] = torch.nn.Conv2d(before, self.channels, 3, padding=1)
            if self.normalisation == "batch":
                layers[f"norm{number}"] = torch.nn.BatchNorm2d(self.channels)
            layers[f"relu{number}"] = torch.nn.ReLU()
            if number <= self.pooled:
                layers[f"pool{number}"] = torch.nn.MaxPool2d(2, ceil_mode=True)
                height, width = halved((height, width))
            before = self.channels
        layers["flatten"] = torch.nn.Flatten()
        layers[f"fc{self.depth + 1}"] = torch.nn.Linear(before * height * width, outputs)
        return torch.nn.Sequential(layers)

    def sites(self, module: torch.nn.Module) -> dict[str, Site]:
        """Sites of each convolution, after its ReLU, and of the read-out."""
        hidden = {f"conv{i}": Site(f"conv{i}", f"relu{i}") for i in range(1, self.depth + 1)}
        last = f"fc{self.depth + 1}"
        return {**hidden, last: Site(last, last)}
