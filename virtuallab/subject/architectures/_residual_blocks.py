"""Residual blocks of the two versions of ResNets."""

from __future__ import annotations

from torch import nn

from virtuallab.subject.architectures._layers import convolution
from virtuallab.subject.network.residual import Branches, Residual


class ResidualBlock(Residual):
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

    def branches(self) -> Branches:
        """Return the block's modules."""
        main = self.conv1, self.norm1, self.relu, self.conv2, self.norm2
        return Branches((), (self.conv0, self.norm0), main, (self.relu,))


class PreactivatedBlock(Residual):
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

    def branches(self) -> Branches:
        """Return the block's modules."""
        main = self.conv1, self.norm1, self.relu, self.conv2
        if self.conv0 is None:
            return Branches((), (), (self.norm0, self.relu, *main), ())
        return Branches((self.norm0, self.relu), (self.conv0,), main, ())
