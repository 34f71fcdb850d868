"""Initialised networks, whose random numbers do not depend on torch's global stream."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from functools import cache

import torch
from torch import Tensor, nn

from virtuallab import seeds
from virtuallab.errors import UserError
from virtuallab.subject.architecture import Architecture, synaptic_layers
from virtuallab.subject.network.build import build
from virtuallab.subject.subject import Subject
from virtuallab.subject.task import Task
from virtuallab.subject.torch_stream import global_stream


def initialized_network(architecture: Architecture, task: Task, seed: int) -> nn.Module:
    """Network of one subject whose initial weights depend on ``seed`` alone."""
    with global_stream(seed):
        return build(architecture, task)


def forward_network(subject: Subject) -> nn.Module:
    """Network of a subject before training."""
    seed = seeds.integer(subject.seed, *subject.stream(seeds.INITIAL_WEIGHTS))
    return initialized_network(subject.architecture, subject.task, seed)


def backward_network(subject: Subject) -> nn.Module:
    """Network whose weights are the subject's initial backward weights, drawn independently."""
    seed = seeds.integer(subject.seed, *subject.stream(seeds.FEEDBACK_WEIGHTS))
    return initialized_network(subject.architecture, subject.task, seed)


@cache
def template_network(architecture: Architecture, task: Task) -> nn.Module:
    """Network of this architecture that belongs to no subject, to be copied or measured.

    Raises
    ------
    UserError
        If a layer is not used, or layers are not defined in the order in which they are used: the
        last layer is the read-out of rules, and recordings number layers from input to output.
    """
    network = initialized_network(architecture, task, 0)
    layers = synaptic_layers(network)
    used = _order_of_use(network, layers, torch.zeros(1, *task.stimulus_shape))
    if unused := [name for name in layers if name not in used]:
        raise UserError(
            f"architecture {architecture.name!r} defines layer {unused[0]!r} but does not call it. "
            "Remove it if it is not needed; a population cannot use its weights in functions."
        )
    for first, second in zip(layers, used, strict=True):
        if first != second:
            raise UserError(
                f"architecture {architecture.name!r} defines layer {first!r} before {second!r} but "
                "uses it later. Define layers in the order in which they are used."
            )
    return network


def _order_of_use(
    network: nn.Module, layers: Mapping[str, nn.Module], stimulus: Tensor
) -> list[str]:
    """Names of the layers in order of first use."""
    used: dict[str, None] = {}
    training = network.training
    with ExitStack() as hooks, torch.no_grad():
        for name, module in layers.items():
            hooks.enter_context(
                module.register_forward_hook(lambda *_, name=name: used.setdefault(name))
            )
        network.eval()(stimulus)
    network.train(training)
    return list(used)
