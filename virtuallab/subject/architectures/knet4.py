"""KNet of 4 layers."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from virtuallab.fields import Counts, setting
from virtuallab.registry import ARCHITECTURES
from virtuallab.subject.architecture import Shape
from virtuallab.subject.architectures._knet import KNet


@ARCHITECTURES.register("knet4")
@dataclass(frozen=True, kw_only=True)
class KNet4(KNet):
    """KNet4: 3 convolutions and a dense layer, after Krizhevsky's network for CIFAR-10.

    References
    ----------
    Nayebi et al. 2020, "Identifying Learning Rules From Neural Network Observables", supplement.
    """

    channels: Counts = setting((8, 16, 16), unit="channels", doc="Channels of each convolution.")

    def build(self, stimulus_shape: Shape, outputs: int) -> torch.nn.Module:
        """Network with one convolution for each entry of ``channels``, and a dense layer."""
        return self.assemble(self.channels, stimulus_shape, outputs)
