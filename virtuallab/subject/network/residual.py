"""Blocks whose result is added to their input, as in residual networks."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import NamedTuple

from torch import Tensor, nn


class Branches(NamedTuple):
    """Modules of a residual block, each sequence in the order of its use; a sequence can be empty.

    Attributes
    ----------
    before : sequence of nn.Module
        Before the branches part.
    shortcut, main : sequence of nn.Module
        Branches whose results are added.
    after : sequence of nn.Module
        After the sum.
    """

    before: Sequence[nn.Module]
    shortcut: Sequence[nn.Module]
    main: Sequence[nn.Module]
    after: Sequence[nn.Module]


class Residual(nn.Module, ABC):
    """Block of two branches whose results are added."""

    @abstractmethod
    def branches(self) -> Branches:
        """Return the block's modules."""

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(batch, channel, height, width)`` to the same, smaller by the stride."""
        branches = self.branches()
        x = _along(branches.before, x)
        shortcut = _along(branches.shortcut, x)
        return _along(branches.after, _along(branches.main, x) + shortcut)


def _along(modules: Sequence[nn.Module], x: Tensor) -> Tensor:
    for module in modules:
        x = module(x)
    return x
