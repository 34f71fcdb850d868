"""ResNet-34, version 2."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from virtuallab.registry import ARCHITECTURES
from virtuallab.subject.architectures._resnet import ResNet


@ARCHITECTURES.register("resnet34v2")
@dataclass(frozen=True, kw_only=True)
class ResNet34V2(ResNet):
    """ResNet-34, version 2: normalisation and ReLU come before each convolution.

    The 38 layers with weights are the first convolution, 32 in residual blocks, 4 in their
    shortcuts, and a dense layer. Each convolution is recorded at its output. The published size
    is ``width: 64``, ``stem: published`` and ``batch_norm_momentum: 0.003``.

    References
    ----------
    He et al. 2016, "Identity Mappings in Deep Residual Networks".
    Nayebi et al. 2020, "Identifying Learning Rules From Neural Network Observables".
    """

    blocks: ClassVar[tuple[int, ...]] = (3, 4, 6, 3)
    preactivated: ClassVar[bool] = True
