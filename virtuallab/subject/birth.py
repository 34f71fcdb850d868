"""Make networks with random streams of their own, without touching torch's global stream."""

from __future__ import annotations

import threading
from functools import cache

import torch
from torch import nn

from virtuallab import seeds
from virtuallab.subject.architecture import Architecture
from virtuallab.subject.subject import Subject
from virtuallab.subject.task import Task

# torch's initialisers draw from one global stream; only one network is initialised at a time.
_ONE_AT_A_TIME = threading.Lock()


def born(architecture: Architecture, task: Task, seed: int) -> nn.Module:
    """Build one network whose initial weights depend on ``seed`` alone."""
    with _ONE_AT_A_TIME, torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
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
    """Return a network of this make to copy or to measure; nobody's in particular."""
    return born(architecture, task, 0)
