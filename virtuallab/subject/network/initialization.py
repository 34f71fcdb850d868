"""Make networks with random streams of their own, without touching torch's global stream."""

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


def born(architecture: Architecture, task: Task, seed: int) -> nn.Module:
    """Build one network whose initial weights depend on ``seed`` alone."""
    with _ONE_AT_A_TIME, torch.random.fork_rng(devices=[]):
        # `torch.manual_seed` would seed the devices too, and note a traceback for each network.
        torch.default_generator.manual_seed(seed)
        return architecture.build(task.stimulus_shape, task.classes)


def forward_network(subject: Subject) -> nn.Module:
    """Return the network of a subject before it learns."""
    seed = seeds.integer(subject.seed, subject.key, seeds.INITIAL_WEIGHTS)
    return born(subject.architecture, subject.task, seed)


def backward_network(subject: Subject) -> nn.Module:
    """Return a network whose weights are the subject's backward weights: drawn independently."""
    seed = seeds.integer(subject.seed, subject.key, seeds.FEEDBACK_WEIGHTS)
    return born(subject.architecture, subject.task, seed)


@cache
def skeleton(architecture: Architecture, task: Task) -> nn.Module:
    """Return a network of this make to copy or to measure; nobody's in particular.

    Raises
    ------
    UserError
        If its layers are defined in another order than that in which they are used: rules take the
        last for the read-out, and recordings number layers from input to output.
    """
    network = born(architecture, task, 0)
    defined, used = _layers_in_both_orders(network, torch.zeros(1, *task.stimulus_shape))
    for first, second in zip(defined, used, strict=False):
        if first != second:
            raise UserError(
                f"architecture {architecture.name!r} defines layer {first!r} before {second!r} but "
                "uses it later. Define layers in the order in which they are used."
            )
    return network


def _layers_in_both_orders(network: nn.Module, stimulus: Tensor) -> tuple[list[str], list[str]]:
    """Names of all weights as they are defined, and as a stimulus first reaches them."""
    layers = {n: m for n, m in network.named_modules() if isinstance(m, nn.Conv2d | nn.Linear)}
    used: dict[str, None] = {}
    handles = [
        module.register_forward_hook(lambda *_, name=name: used.setdefault(name))
        for name, module in layers.items()
    ]
    learns = network.training
    with torch.no_grad():
        network.eval()(stimulus)
    network.train(learns)
    for handle in handles:
        handle.remove()
    return list(layers), list(used)
