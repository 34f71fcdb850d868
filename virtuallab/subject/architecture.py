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
        """Sites of the layers; by default, all layers with synapses, at their outputs.

        Parameters
        ----------
        module : nn.Module
            A network, or a population of networks.

        Returns
        -------
        dict from str to Site
            By the name of each layer, from input to output.
        """
        return {name: Site(name, name) for name in synaptic_layers(module)}


def synaptic_kinds() -> tuple[type[torch.nn.Module], ...]:
    """Kinds of layers whose weights rules change: convolutions and dense layers."""
    nn = torch.nn
    return nn.Conv1d, nn.Conv2d, nn.ConvTranspose2d, nn.Linear


def containers() -> tuple[type[torch.nn.Module], ...]:
    """Modules of torch whose parts are layers of the network; torch's other modules are whole."""
    return torch.nn.Sequential, torch.nn.ModuleList, torch.nn.ModuleDict


def synaptic_layers(module: torch.nn.Module, path: str = "") -> dict[str, torch.nn.Module]:
    """Layers of a network whose weights rules change, by path, in the order of definition.

    Layers inside one of torch's own modules, such as those of ``nn.MultiheadAttention``, are part
    of that module.
    """
    if isinstance(module, synaptic_kinds()):
        return {path: module}
    if type(module).__module__.startswith("torch.nn") and not isinstance(module, containers()):
        return {}
    found: dict[str, torch.nn.Module] = {}
    for name, child in module.named_children():
        found |= synaptic_layers(child, f"{path}.{name}".lstrip("."))
    return found
