"""ResNet-18 as torchvision builds it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch

from virtuallab.registry import ARCHITECTURES
from virtuallab.subject.architecture import Architecture, Shape
from virtuallab.subject.architectures._torchvision import torchvision


@ARCHITECTURES.register("resnet18")
@dataclass(frozen=True, kw_only=True)
class ResNet18(Architecture):
    """ResNet-18 as torchvision builds it; recorded at each convolution, before its normalisation.

    References
    ----------
    He et al. 2016, "Deep Residual Learning for Image Recognition".
    """

    family: ClassVar[str] = "resnet"

    def build(self, stimulus_shape: Shape, classes: int) -> torch.nn.Module:
        """Network of torchvision, whose first layer takes the channels of the stimuli."""
        module: torch.nn.Module = torchvision().models.resnet18(weights=None, num_classes=classes)
        channels = stimulus_shape[0]
        if channels != 3:
            module.conv1 = torch.nn.Conv2d(channels, 64, 7, stride=2, padding=3, bias=False)
        return module
