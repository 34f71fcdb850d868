"""Position of each parameter in a subject's preserved state."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import jaxtyping as jt
import torch
from torch import Tensor, nn

from virtuallab.subject.architecture import Architecture
from virtuallab.subject.network.build import sites_of
from virtuallab.subject.network.initialization import template_network
from virtuallab.subject.network.population import populate
from virtuallab.subject.task import Task


@dataclass(frozen=True)
class ParameterEntry:
    """One tensor of a network: its name in the module, its shape and its first position."""

    name: str
    shape: tuple[int, ...]
    start: int

    @property
    def stop(self) -> int:
        """One past the last position."""
        return self.start + math.prod(self.shape)


@dataclass(frozen=True)
class ParameterLayout:
    """Layout of a network's parameters and running averages in one vector."""

    entries: tuple[ParameterEntry, ...]  # in the order of the module's `state_dict`
    layers: tuple[str, ...]  # recorded layers, from input to output
    kernels: tuple[str, ...]  # name of the entry with the weight of each layer

    @property
    def size(self) -> int:
        """Length of one subject's state."""
        return self.entries[-1].stop

    def flatten(self, population: nn.Module) -> jt.Float[Tensor, "subject parameter"]:
        """State of every subject, as a copy."""
        tensors = dict(floating_tensors(population))
        return torch.cat([tensors[e.name].detach().flatten(1) for e in self.entries], dim=1)

    def tensors(self, states: jt.Float[Tensor, "subject parameter"]) -> dict[str, Tensor]:
        """Inverse of :meth:`flatten`: a copy of each tensor, ``(subject, ...)``, by its name."""
        return {
            entry.name: states[:, entry.start : entry.stop]
            .reshape(len(states), *entry.shape)
            .clone(memory_format=torch.contiguous_format)
            for entry in self.entries
        }

    def load(self, population: nn.Module, states: jt.Float[Tensor, "subject parameter"]) -> None:
        """Copy states into a population of as many subjects."""
        tensors = dict(floating_tensors(population))
        with torch.no_grad():
            for name, values in self.tensors(states).items():
                tensors[name].copy_(values)

    def weights(self, layer: str) -> slice:
        """Position of the flattened kernel of a layer in a state."""
        kernel = dict(zip(self.layers, self.kernels, strict=True))[layer]
        (entry,) = (entry for entry in self.entries if entry.name == kernel)
        return slice(entry.start, entry.stop)

    def to_json(self) -> str:
        """JSON text with which stored states can be read without the network.

        ``parameters`` maps each tensor to its start, stop and shape; ``layers`` maps each layer to
        the name of its weight.
        """
        parameters = {e.name: [e.start, e.stop, list(e.shape)] for e in self.entries}
        layers = dict(zip(self.layers, self.kernels, strict=True))
        return json.dumps({"parameters": parameters, "layers": layers})


def floating_tensors(module: nn.Module) -> Iterator[tuple[str, Tensor]]:
    """Yield names and tensors of parameters and running averages, without counters."""
    for name, tensor in module.state_dict(keep_vars=True).items():
        if tensor.is_floating_point():
            yield name, tensor


@cache
def parameter_layout(architecture: Architecture, task: Task) -> ParameterLayout:
    """Layout of the state of an architecture's networks for a task.

    Raises
    ------
    UserError
        If the network cannot be a population of one.
    """
    module = template_network(architecture, task)
    entries, start = [], 0
    for name, tensor in floating_tensors(populate([module])):
        entries.append(ParameterEntry(name, tuple(tensor.shape[1:]), start))
        start = entries[-1].stop
    sites = sites_of(architecture, task, module)
    kernels = tuple(f"{site.synapse}.weight" for site in sites.values())
    return ParameterLayout(tuple(entries), tuple(sites), kernels)
