"""What a network is made of, and where an electrode finds its layers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import torch

Shape = tuple[int, int, int]


@dataclass(frozen=True)
class Site:
    """Where one layer can be recorded.

    Parameters
    ----------
    synapse : str
        Path of the module that keeps the layer's weight.
    response : str
        Path of the module whose output is the layer's response.
    """

    synapse: str
    response: str


@dataclass(frozen=True, kw_only=True)
class Architecture(ABC):
    """Builds ordinary torch modules, one subject each; populations are made of them elsewhere."""

    name: ClassVar[str]
    family: ClassVar[str] = ""  # networks of one plan, at any size; its name where none is given

    @abstractmethod
    def build(self, stimulus_shape: Shape, classes: int) -> torch.nn.Module:
        """Make one initialised network for stimuli of ``(channel, height, width)``."""

    def sites(self, module: torch.nn.Module) -> dict[str, Site]:
        """Layers from input to output; by default every weight, recorded at its own output."""
        return {
            name: Site(name, name)
            for name, child in module.named_modules()
            if isinstance(child, torch.nn.Conv2d | torch.nn.Linear)
        }
