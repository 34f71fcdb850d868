"""ResNets of 18 and 34 layers, before and after the change of their order of operations.

Layers are those of the networks that learned ImageNet in Nayebi et al. 2020: the first block of
each of four groups has a 1 x 1 convolution in its shortcut, convolutions have no bias, and weights
are drawn as there. Layers have the published names, with a dot in place of the slash:
``conv0``, ``block_group1_0.conv1``, ``dense``. As published, a convolution is recorded at its
output, before normalisation and ReLU.

By default a network has fewer channels and a first layer for small images. The published size is
``width: 64`` and ``stem: published``.

References
----------
He et al. 2016, "Deep Residual Learning for Image Recognition"; He et al. 2016, "Identity Mappings
in Deep Residual Networks"; Nayebi et al. 2020, "Identifying Learning Rules From Neural Network
Observables", and the released code, ``tensorflow/Models/resnet_model_v1.py`` and
``resnet_model_v2.py`` of github.com/neuroailab/lr-identify.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import ClassVar

import torch

from virtuallab.fields import Count, Fraction, setting
from virtuallab.subject.architecture import Architecture, Shape
from virtuallab.subject.architectures._layers import Stem, convolution, dense, halved, pool

_DENSE_SD = 0.01  # published, of the weights of the last layer of version 1


@dataclass(frozen=True, kw_only=True)
class ResNet(Architecture):
    """Base class of the ResNets.

    Attributes
    ----------
    blocks : tuple of int
        Residual blocks of each group.
    preactivated : bool
        True for version 2, with normalisation and ReLU before each convolution.
    """

    family: ClassVar[str] = "resnet"
    blocks: ClassVar[tuple[int, ...]]
    preactivated: ClassVar[bool] = False

    width: Count = setting(
        8,
        unit="channels",
        doc="Channels of the first convolution and the first group; each further group has twice "
        "as many. Published: 64.",
    )
    stem: Stem = setting(
        "small",
        doc="First layer: 'published', 7 x 7 with stride 2 and max-pooling, or 'small', 3 x 3 with "
        "stride 1, for images of about 32 pixels and below.",
    )
    batch_norm_momentum: Fraction = setting(
        0.1,
        doc="Share of the last batch in the running averages of batch normalisation. Published: "
        "0.1 in version 1; 0.003 in version 2, which needs thousands of steps.",
    )

    def build(self, stimulus_shape: Shape, outputs: int) -> torch.nn.Module:
        """Network of a stem, four groups of residual blocks, and a dense layer."""
        from virtuallab.subject.architectures._residual_blocks import (
            PreactivatedBlock,
            ResidualBlock,
        )

        channels, *size = stimulus_shape
        layers = self._stem(channels, (size[0], size[1]))
        kind = PreactivatedBlock if self.preactivated else ResidualBlock
        group_name = "block_layer" if self.preactivated else "block_group"
        before = after = self.width
        for group, count in enumerate(self.blocks, start=1):
            after = self.width * 2 ** (group - 1)
            for number in range(count):
                stride = 2 if group > 1 and number == 0 else 1
                block = kind(before, after, stride, self.batch_norm_momentum, first=number == 0)
                layers[f"{group_name}{group}_{number}"] = block
                before = after
        if self.preactivated:
            layers["norm"] = torch.nn.BatchNorm2d(after, momentum=self.batch_norm_momentum)
            layers["relu"] = torch.nn.ReLU()
        layers["pool"] = torch.nn.AdaptiveAvgPool2d(1)
        layers["flatten"] = torch.nn.Flatten()
        layers["dense"] = dense(after, outputs, _DENSE_SD)
        if self.preactivated:
            torch.nn.init.xavier_uniform_(layers["dense"].weight)  # type: ignore[arg-type]
        return torch.nn.Sequential(layers)

    def _stem(self, channels: int, size: tuple[int, int]) -> OrderedDict[str, torch.nn.Module]:
        """First convolution; version 2 has no normalisation here."""
        layers: OrderedDict[str, torch.nn.Module] = OrderedDict()
        published = self.stem == "published"
        kernel, stride = (7, 2) if published else (3, 1)
        layers["conv0"] = convolution(channels, self.width, kernel, stride)
        if not self.preactivated:
            layers["norm0"] = torch.nn.BatchNorm2d(self.width, momentum=self.batch_norm_momentum)
            layers["relu0"] = torch.nn.ReLU()
        if published:
            layers["pool0"] = pool(torch.nn.MaxPool2d, 3, halved(size))
        return layers
