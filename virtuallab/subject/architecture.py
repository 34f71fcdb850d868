"""Base class of architectures: ordinary torch modules, and where their layers are recorded."""

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
    """Builds ordinary torch modules, each the network of one subject."""

    name: ClassVar[str]
    family: ClassVar[str] = ""  # of networks that differ in size only; the name if not given

    @abstractmethod
    def build(self, stimulus_shape: Shape, classes: int) -> torch.nn.Module:
        """One initialised network for stimuli of ``(channel, height, width)``."""

    def sites(self, module: torch.nn.Module) -> dict[str, Site]:
        """Sites of the layers from input to output; by default of every weight, at its output."""
        return {
            name: Site(name, name)
            for name, child in module.named_modules()
            if isinstance(child, torch.nn.Conv2d | torch.nn.Linear)
        }
