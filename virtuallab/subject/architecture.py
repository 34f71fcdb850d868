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
    """Base class of architectures, which build ordinary torch modules.

    Attributes
    ----------
    name : str
        Name in protocols.
    family : str
        Name that architectures share if they differ in size only; ``name`` if empty.
    """

    name: ClassVar[str]
    family: ClassVar[str] = ""

    @abstractmethod
    def build(self, stimulus_shape: Shape, outputs: int) -> torch.nn.Module:
        """Network of one subject, with initial weights from torch's global random stream.

        Parameters
        ----------
        stimulus_shape : tuple of int
            Of a stimulus, ``(channel, height, width)``.
        outputs : int
            Number of scores, one for each class of the task.

        Returns
        -------
        nn.Module
            From stimuli ``(batch, channel, height, width)`` to scores ``(batch, class)``.
        """

    def sites(self, module: torch.nn.Module) -> dict[str, Site]:
        """Sites of the layers; by default, every convolution and dense layer at its output.

        Parameters
        ----------
        module : nn.Module
            A network, or a population of networks.

        Returns
        -------
        dict from str to Site
            By the name of each layer, from input to output.
        """
        return {
            name: Site(name, name)
            for name, child in module.named_modules()
            if isinstance(child, torch.nn.Conv2d | torch.nn.Linear)
        }
