"""KNets, small convolutional networks after Krizhevsky's network for CIFAR-10.

The layers are those of the networks that learned CIFAR-10 in Nayebi et al. 2020. By default they
have fewer channels, smaller kernels and smaller pooling windows, so that hundreds of networks train
in a minute. The published size is ``channels: [32, 32, 64]`` (KNet5: ``[32, 32, 64, 128]``),
``kernel: 5``, ``pooling: 3`` and ``initial_weights: published``. One difference remains: batch
normalisation acts on channels; the released code normalised image rows.

References
----------
Nayebi et al. 2020, "Identifying Learning Rules From Neural Network Observables", supplement, and
the released code, ``tensorflow/Models/knet.py`` of github.com/neuroailab/lr-identify.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

import torch

from virtuallab.fields import Count, setting
from virtuallab.subject.architecture import Architecture, Shape, Site
from virtuallab.subject.architectures._layers import (
    halved,
    local_response_norm,
    pool,
)

_FIRST_SD, _SD = 1e-4, 0.01  # published, of the first layer's weights and of all others

Normalisation = Literal["batch", "local_response", "none"]


@dataclass(frozen=True, kw_only=True)
class KNet(Architecture):
    """Base class of KNet4 and KNet5, which differ in their channels."""

    family: ClassVar[str] = "knet"

    kernel: Count = setting(3, unit="pixels", doc="Height and width of each kernel, in pixels.")
    normalisation: Normalisation = setting(
        "batch",
        doc="Normalisation of each layer: 'batch', 'local_response' or 'none'. The published "
        "networks have batch normalisation, their LRN variants local response normalisation.",
    )
    pooling: Literal[2, 3] = setting(
        2,
        unit="pixels",
        doc="Height and width of each pooling window, whose stride is 2 pixels. Published: 3.",
        added=True,
    )
    initial_weights: Literal["torch", "published"] = setting(
        "torch",
        doc="Distribution of the initial weights: that of 'torch', or the 'published' one, whose "
        "small standard deviations keep a network near a saddle for longer than a short training.",
        added=True,
    )

    def assemble(
        self, channels: Sequence[int], stimulus_shape: Shape, outputs: int
    ) -> torch.nn.Sequential:
        """Network with a convolution, nonlinearity, pooling and normalisation per entry.

        The first layer pools by the maximum before its nonlinearity; later layers pool by the mean
        after it. In the LRN variant only the first two layers are normalised.
        """
        before, *pixels = stimulus_shape
        size = pixels[0], pixels[1]
        layers: OrderedDict[str, torch.nn.Module] = OrderedDict()
        for number, after in enumerate(channels, start=1):
            relu, norm = (f"relu{number}", torch.nn.ReLU()), self._norm(number, after)
            kind = torch.nn.MaxPool2d if number == 1 else torch.nn.AvgPool2d
            pooled = (f"pool{number}", pool(kind, self.pooling, size))
            if number > 1:
                order = [relu, pooled, *norm]
            elif self.normalisation == "batch":
                order = [pooled, *norm, relu]
            else:
                order = [pooled, relu, *norm]
            layers[f"conv{number}"] = torch.nn.Conv2d(before, after, self.kernel, padding="same")
            layers.update(order)
            before, size = after, halved(size)
        layers["flatten"] = torch.nn.Flatten()
        layers[f"fc{len(channels) + 1}"] = torch.nn.Linear(before * size[0] * size[1], outputs)
        if self.initial_weights == "published":
            _draw_published(layers)
        return torch.nn.Sequential(layers)

    def sites(self, module: torch.nn.Module) -> dict[str, Site]:
        """Sites of each convolution, after its nonlinearity, and of the last layer.

        The released code recorded the first convolution before pooling and nonlinearity.
        """
        names = [name for name, _ in module.named_children()]
        convolutions = [name for name in names if name.startswith("conv")]
        hidden = {name: Site(name, name.replace("conv", "relu")) for name in convolutions}
        return {**hidden, names[-1]: Site(names[-1], names[-1])}

    def _norm(self, number: int, width: int) -> list[tuple[str, torch.nn.Module]]:
        if self.normalisation == "batch":
            return [(f"norm{number}", torch.nn.BatchNorm2d(width))]
        if self.normalisation == "local_response" and number <= 2:
            return [(f"norm{number}", local_response_norm(radius=3, alpha=5e-5))]
        return []


def _draw_published(layers: Mapping[str, torch.nn.Module]) -> None:
    """Draw normal weights, much smaller in the first layer, and set biases to zero."""
    for name, layer in layers.items():
        if isinstance(layer, torch.nn.Conv2d | torch.nn.Linear):
            torch.nn.init.normal_(layer.weight, std=_FIRST_SD if name == "conv1" else _SD)
            torch.nn.init.zeros_(layer.bias)  # type: ignore[arg-type]
