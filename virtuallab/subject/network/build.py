"""Networks of an architecture for a task, and the sites of their layers."""

from __future__ import annotations

from torch import nn

from virtuallab.errors import UserError
from virtuallab.subject.architecture import (
    Architecture,
    Site,
    synaptic_kinds,
    synaptic_layers,
)
from virtuallab.subject.task import Task


def build(architecture: Architecture, task: Task) -> nn.Module:
    """Network of an architecture, with the task's head in place of its read-out if there is one.

    Raises
    ------
    UserError
        If the task has a head and the last layer of the network is not dense.
    """
    network = architecture.build(task.stimulus_shape, task.outputs)
    if not task.has_head:
        return network
    path, readout = list(synaptic_layers(network).items())[-1]
    if not isinstance(readout, nn.Linear):
        raise UserError(
            f"task {task.name!r} replaces the last layer by a head, and {path!r} of "
            f"{architecture.name} is not a dense layer. Use another architecture."
        )
    parent, _, name = path.rpartition(".")
    setattr(network.get_submodule(parent), name, task.head(readout.in_features))
    return network


def sites_of(architecture: Architecture, task: Task, network: nn.Module) -> dict[str, Site]:
    """Sites of the layers of a network that :func:`build` returned, those of a head included."""
    found: dict[str, Site] = {}
    for name, site in architecture.sites(network).items():
        module = network.get_submodule(site.synapse)
        if isinstance(module, synaptic_kinds()):
            found[name] = site
        else:  # the head is where the architecture has its read-out
            found |= {path: Site(path, path) for path in synaptic_layers(module, site.synapse)}
    return found


def code_path(task: Task, network: nn.Module) -> str:
    """Path of the module that receives the last hidden layer: the read-out, or the task's head."""
    last = list(synaptic_layers(network))[-1]
    return last if not task.has_head else last.rpartition(".")[0]
