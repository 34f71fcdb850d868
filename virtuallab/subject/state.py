"""Where each parameter lies in a subject's preserved state."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import torch
from torch import Tensor, nn

from virtuallab.subject.architecture import Architecture
from virtuallab.subject.birth import skeleton
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
    """

    entries: tuple[Entry, ...]
    layers: tuple[str, ...]

    @property
    def size(self) -> int:
        """Numbers in one subject's state."""
        return self.entries[-1].stop

    def flatten(self, population: nn.Module) -> Tensor:
        """Return the state of every subject, ``(subject, parameter)``, as a copy."""
        tensors = dict(_floating(population))
        return torch.cat([tensors[e.name].detach().flatten(1) for e in self.entries], dim=1)

    def load(self, population: nn.Module, states: Tensor) -> None:
        """Put ``(subject, parameter)`` into a population of as many subjects."""
        tensors = dict(_floating(population))
        with torch.no_grad():
            for entry in self.entries:
                part = states[:, entry.start : entry.stop]
                tensors[entry.name].copy_(part.reshape(len(states), *entry.shape))

    def to_json(self) -> str:
        """Text for an attribute of the stored array: where each tensor lies."""
        return json.dumps({e.name: [e.start, e.stop, list(e.shape)] for e in self.entries})


def _floating(module: nn.Module) -> Iterator[tuple[str, Tensor]]:
    """Parameters and running averages; counters are not part of what a network computes."""
    for name, tensor in module.state_dict(keep_vars=True).items():
        if tensor.is_floating_point():
            yield name, tensor


@cache
def layout_of(architecture: Architecture, task: Task) -> StateLayout:
    """Layout of an architecture built for a task."""
    module = skeleton(architecture, task)
    entries, start = [], 0
    for name, tensor in _floating(module):
        entries.append(Entry(name, tuple(tensor.shape), start))
        start = entries[-1].stop
    return StateLayout(tuple(entries), tuple(architecture.sites(module)))
