"""Where each parameter lies in a subject's preserved state."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import jaxtyping as jt
import torch
from torch import Tensor, nn

from virtuallab.errors import UserError
from virtuallab.subject.architecture import Architecture
from virtuallab.subject.network.initialization import skeleton
from virtuallab.subject.network.population import populate
from virtuallab.subject.task import Task


@dataclass(frozen=True)
class Entry:
    """One tensor of a network: its name in the module, its shape, where it begins."""

    name: str
    shape: tuple[int, ...]
    start: int

    @property
    def stop(self) -> int:
        """One past its last number."""
        return self.start + math.prod(self.shape)


@dataclass(frozen=True)
class StateLayout:
    """A network's parameters and running averages, one after another.

    Parameters
    ----------
    entries : tuple of Entry
        In the order of the module's ``state_dict``.
    layers : tuple of str
        Recorded layers, from input to output.
    kernels : tuple of str
        Of each layer, the entry that is its weight.
    """

    entries: tuple[Entry, ...]
    layers: tuple[str, ...]
    kernels: tuple[str, ...]

    @property
    def size(self) -> int:
        """Numbers in one subject's state."""
        return self.entries[-1].stop

    def flatten(self, population: nn.Module) -> jt.Float[Tensor, "subject parameter"]:
        """Return the state of every subject, as a copy."""
        tensors = dict(floating(population))
        return torch.cat([tensors[e.name].detach().flatten(1) for e in self.entries], dim=1)

    def tensors(self, states: jt.Float[Tensor, "subject parameter"]) -> dict[str, Tensor]:
        """Undo :meth:`flatten`: a copy of each tensor, ``(subject, ...)``, by its name."""
        return {
            entry.name: states[:, entry.start : entry.stop]
            .reshape(len(states), *entry.shape)
            .clone(memory_format=torch.contiguous_format)
            for entry in self.entries
        }

    def load(self, population: nn.Module, states: jt.Float[Tensor, "subject parameter"]) -> None:
        """Put states into a population of as many subjects."""
        tensors = dict(floating(population))
        with torch.no_grad():
            for name, values in self.tensors(states).items():
                tensors[name].copy_(values)

    def weights(self, layer: str) -> slice:
        """Where the flattened kernel of a layer lies in a state."""
        kernel = dict(zip(self.layers, self.kernels, strict=True))[layer]
        (entry,) = (entry for entry in self.entries if entry.name == kernel)
        return slice(entry.start, entry.stop)

    def to_json(self) -> str:
        """Text for an attribute of the stored array, so that it can be read without the network.

        ``parameters`` has the start, the stop and the shape of each tensor, ``layers`` the tensor
        that is each layer's weight.
        """
        parameters = {e.name: [e.start, e.stop, list(e.shape)] for e in self.entries}
        layers = dict(zip(self.layers, self.kernels, strict=True))
        return json.dumps({"parameters": parameters, "layers": layers})

    @classmethod
    def from_json(cls, text: str) -> StateLayout:
        """Read what :meth:`to_json` wrote."""
        found = json.loads(text)
        entries = tuple(
            Entry(name, tuple(shape), start)
            for name, (start, _, shape) in found["parameters"].items()
        )
        return cls(entries, tuple(found["layers"]), tuple(found["layers"].values()))


def floating(module: nn.Module) -> Iterator[tuple[str, Tensor]]:
    """Parameters and running averages; counters are not part of what a network computes."""
    for name, tensor in module.state_dict(keep_vars=True).items():
        if tensor.is_floating_point():
            yield name, tensor


@cache
def layout_of(architecture: Architecture, task: Task) -> StateLayout:
    """Layout of an architecture built for a task.

    Raises
    ------
    UserError
        If the network keeps numbers that a population would not keep for each subject.
    """
    module = skeleton(architecture, task)
    shared = {name: tensor.shape for name, tensor in floating(populate([module]))}
    entries, start = [], 0
    for name, tensor in floating(module):
        if shared[name] != (1, *tensor.shape):
            raise UserError(
                f"architecture {architecture.name!r} keeps {name!r} outside the layers that a "
                "population knows. If it is a constant, register it with persistent=False."
            )
        entries.append(Entry(name, tuple(tensor.shape), start))
        start = entries[-1].stop
    sites = architecture.sites(module)
    kernels = tuple(f"{site.synapse}.weight" for site in sites.values())
    return StateLayout(tuple(entries), tuple(sites), kernels)
