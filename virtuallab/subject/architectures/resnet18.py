"""ResNet-18."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from virtuallab.registry import ARCHITECTURES
from virtuallab.subject.architectures._resnet import ResNet


@ARCHITECTURES.register("resnet18")
@dataclass(frozen=True, kw_only=True)
class ResNet18(ResNet):
    """ResNet-18: residual blocks with normalisation and ReLU after each convolution.

    The 22 layers with weights are the first convolution, 16 in residual blocks, 4 in their
    shortcuts, and a dense layer. Each convolution is recorded at its output. The published size
    is ``width: 64`` and ``stem: published``.

    References
    ----------
    He et al. 2016, "Deep Residual Learning for Image Recognition".
    Nayebi et al. 2020, "Identifying Learning Rules From Neural Network Observables".
    """

    blocks: ClassVar[tuple[int, ...]] = (2, 2, 2, 2)
