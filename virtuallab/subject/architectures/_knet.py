"""KNets, small convolutional networks after Krizhevsky's network for CIFAR-10.

The layers are those of the networks that learned CIFAR-10 in Nayebi et al. 2020, with fewer
channels and smaller kernels, so that hundreds of them train in a minute. There are two differences.
Initial weights come from torch's initialiser: with the published standard deviation of 1e-4 in the
first layer, a network stays near a saddle for longer than a short run. Batch normalisation acts on
channels; the released code normalised image rows.

References
----------
Nayebi et al. 2020, "Identifying Learning Rules From Neural Network Observables", supplement.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

import torch

from virtuallab.fields import Count, setting
from virtuallab.subject.architecture import Architecture, Shape, Site

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

    def assemble(
        self, channels: Sequence[int], stimulus_shape: Shape, classes: int
    ) -> torch.nn.Sequential:
        """Network with a convolution, nonlinearity, pooling and normalisation per entry.

        The first layer pools by the maximum before its nonlinearity; later layers pool by the mean
        after it. In the LRN variant only the first two layers are normalised.
        """
        before, height, width = stimulus_shape
        layers: OrderedDict[str, torch.nn.Module] = OrderedDict()
        for number, after in enumerate(channels, start=1):
            relu, norm = (f"relu{number}", torch.nn.ReLU()), self._norm(number, after)
            if number > 1:
                order = [relu, (f"pool{number}", torch.nn.AvgPool2d(2, ceil_mode=True)), *norm]
            else:
                pool = ("pool1", torch.nn.MaxPool2d(2, ceil_mode=True))
                order = (
                    [pool, *norm, relu] if self.normalisation == "batch" else [pool, relu, *norm]
                )
            layers[f"conv{number}"] = torch.nn.Conv2d(before, after, self.kernel, padding="same")
            layers.update(order)
            before, height, width = after, -(-height // 2), -(-width // 2)
        layers["flatten"] = torch.nn.Flatten()
        layers[f"fc{len(channels) + 1}"] = torch.nn.Linear(before * height * width, classes)
        return torch.nn.Sequential(layers)

    def sites(self, module: torch.nn.Module) -> dict[str, Site]:
        """Sites of each convolution, after its nonlinearity, and of the last layer."""
        names = [name for name, _ in module.named_children()]
        convolutions = [name for name in names if name.startswith("conv")]
        hidden = {name: Site(name, name.replace("conv", "relu")) for name in convolutions}
        return {**hidden, names[-1]: Site(names[-1], names[-1])}

    def _norm(self, number: int, width: int) -> list[tuple[str, torch.nn.Module]]:
        if self.normalisation == "batch":
            return [(f"norm{number}", torch.nn.BatchNorm2d(width))]
        if self.normalisation == "local_response" and number <= 2:
            # Radius 3 counts to both sides; torch divides alpha by the window, the source did not.
            window, alpha = 7, 5e-5
            norm = torch.nn.LocalResponseNorm(window, alpha=alpha * window, beta=0.75, k=1.0)
            return [(f"norm{number}", norm)]
        return []
