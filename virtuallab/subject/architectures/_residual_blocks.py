"""Residual blocks of the two versions of ResNets."""

from __future__ import annotations

from torch import Tensor, nn

from virtuallab.subject.architectures._layers import convolution


class ResidualBlock(nn.Module):
    """Two convolutions, each before its normalisation, whose result is added to their input.

    The scale of the last normalisation is zero at first, so that a block begins as its shortcut.

    Parameters
    ----------
    before, after : int
        Channels.
    stride : int
    momentum : float
        Of batch normalisation.
    first : bool
        True for a 1 x 1 convolution in the shortcut.
    """

    def __init__(
        self, before: int, after: int, stride: int, momentum: float, *, first: bool
    ) -> None:
        super().__init__()
        # Layers are defined in the order in which they are used.
        self.conv0: nn.Module = nn.Identity()
        self.norm0: nn.Module = nn.Identity()
        if first:
            self.conv0 = convolution(before, after, 1, stride)
            self.norm0 = nn.BatchNorm2d(after, momentum=momentum)
        self.conv1 = convolution(before, after, 3, stride)
        self.norm1 = nn.BatchNorm2d(after, momentum=momentum)
        self.conv2 = convolution(after, after, 3, 1)
        self.norm2 = nn.BatchNorm2d(after, momentum=momentum)
        nn.init.zeros_(self.norm2.weight)
        self.relu = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(batch, channel, height, width)`` to the same, smaller by the stride."""
        shortcut = self.norm0(self.conv0(x))
        x = self.relu(self.norm1(self.conv1(x)))
        added: Tensor = self.relu(self.norm2(self.conv2(x)) + shortcut)
        return added


class PreactivatedBlock(nn.Module):
    """Two convolutions, each after normalisation and ReLU, whose result is added to their input.

    Parameters
    ----------
    before, after : int
        Channels.
    stride : int
    momentum : float
        Of batch normalisation.
    first : bool
        True for a 1 x 1 convolution in the shortcut, which is taken after the first ReLU.
    """

    def __init__(
        self, before: int, after: int, stride: int, momentum: float, *, first: bool
    ) -> None:
        super().__init__()
        self.norm0 = nn.BatchNorm2d(before, momentum=momentum)
        self.conv0 = convolution(before, after, 1, stride) if first else None
        self.conv1 = convolution(before, after, 3, stride)
        self.norm1 = nn.BatchNorm2d(after, momentum=momentum)
        self.conv2 = convolution(after, after, 3, 1)
        self.relu = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(batch, channel, height, width)`` to the same, smaller by the stride."""
        active = self.relu(self.norm0(x))
        shortcut = x if self.conv0 is None else self.conv0(active)
        active = self.relu(self.norm1(self.conv1(active)))
        added: Tensor = self.conv2(active) + shortcut
        return added
