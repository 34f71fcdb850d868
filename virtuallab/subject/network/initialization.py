"""Initialised networks, from random streams of their own and not from torch's global stream."""

from __future__ import annotations

import threading
from functools import cache

import torch
from torch import Tensor, nn

from virtuallab import seeds
from virtuallab.errors import UserError
from virtuallab.subject.architecture import Architecture
from virtuallab.subject.subject import Subject
from virtuallab.subject.task import Task

# torch's initialisers draw from one global stream; only one network is initialised at a time.
_ONE_AT_A_TIME = threading.Lock()


def initialized_network(architecture: Architecture, task: Task, seed: int) -> nn.Module:
    """Network of one subject whose initial weights depend on ``seed`` alone."""
    with _ONE_AT_A_TIME, torch.random.fork_rng(devices=[]):
        # `torch.manual_seed` would seed the devices too, and note a traceback for each network.
        torch.default_generator.manual_seed(seed)
        return architecture.build(task.stimulus_shape, task.classes)


def forward_network(subject: Subject) -> nn.Module:
    """Network of a subject before training."""
    seed = seeds.integer(subject.seed, subject.key, seeds.INITIAL_WEIGHTS)
    return initialized_network(subject.architecture, subject.task, seed)


def backward_network(subject: Subject) -> nn.Module:
    """Network whose weights are the subject's initial backward weights, drawn independently."""
    seed = seeds.integer(subject.seed, subject.key, seeds.FEEDBACK_WEIGHTS)
    return initialized_network(subject.architecture, subject.task, seed)


@cache
def template_network(architecture: Architecture, task: Task) -> nn.Module:
    """Network of this architecture, to be copied or measured; it belongs to no subject.

    Parameters
    ----------
    architecture : Architecture
    task : Task

    Returns
    -------
    nn.Module

    Raises
    ------
    UserError
        If its layers are defined in another order than that in which they are used: rules take the
        last as the read-out, and recordings number layers from input to output.
    """
    network = initialized_network(architecture, task, 0)
    defined, used = _layers_in_both_orders(network, torch.zeros(1, *task.stimulus_shape))
    for first, second in zip(defined, used, strict=False):
        if first != second:
            raise UserError(
                f"architecture {architecture.name!r} defines layer {first!r} before {second!r} but "
                "uses it later. Define layers in the order in which they are used."
            )
    return network


def _layers_in_both_orders(network: nn.Module, stimulus: Tensor) -> tuple[list[str], list[str]]:
    """Names of all weights in order of definition, and in order of first use."""
    layers = {n: m for n, m in network.named_modules() if isinstance(m, nn.Conv2d | nn.Linear)}
    used: dict[str, None] = {}
    handles = [
        module.register_forward_hook(lambda *_, name=name: used.setdefault(name))
        for name, module in layers.items()
    ]
    was_training = network.training
    with torch.no_grad():
        network.eval()(stimulus)
    network.train(was_training)
    for handle in handles:
        handle.remove()
    return list(layers), list(used)
