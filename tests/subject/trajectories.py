"""Preserved states of small networks that learned digits, and null models that are made of them."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import torch
from torch import nn

from tests.subject.cohorts import subject
from virtuallab.registry import NULL_MODELS
from virtuallab.subject.null import Trajectory
from virtuallab.subject.preparation import PreparedSubject
from virtuallab.subject.subject import Cohort
from virtuallab.subject.training.trainer import train

VISITS = (0, 5, 15, 30)


@cache
def learner(net: str = "mlp") -> Trajectory:
    """A network that learned by backpropagation."""
    made = subject("backprop", net, steps=max(VISITS), optimizer_settings={"learning_rate": 0.1})
    states: list[np.ndarray] = []
    train(Cohort((made,)), VISITS, lambda visit: states.append(visit.state[0].copy()))
    return Trajectory(made.architecture, made.task, np.stack(states), VISITS)


def module_of(trajectory: Trajectory, state: np.ndarray) -> nn.Module:
    """The plain network with one state."""
    with torch.random.fork_rng(devices=[]):
        module = trajectory.architecture.build(
            trajectory.task.stimulus_shape, trajectory.task.classes
        )
    tensors = trajectory.layout.tensors(torch.from_numpy(state[None].copy()))
    module.load_state_dict({name: each[0] for name, each in tensors.items()}, strict=False)
    return module.eval()


@cache
def prepared(name: str, seed: int, net: str = "mlp") -> PreparedSubject:
    """A subject of a null model."""
    return NULL_MODELS[name]().prepare(learner(net), np.random.default_rng(seed))  # type: ignore[no-any-return]


@cache
def states_of(name: str, seed: int, net: str = "mlp") -> np.ndarray:
    """The states from which a null model prepares its subject."""
    found: list[np.ndarray] = []

    class Watched(Trajectory):
        def prepared(self, states: Any) -> PreparedSubject:
            found.append(states)
            return super().prepared(states)

    own = learner(net)
    watched = Watched(own.architecture, own.task, own.states, own.steps)
    NULL_MODELS[name]().prepare(watched, np.random.default_rng(seed))
    [states] = found
    return states


def moved_by(found: PreparedSubject, visit: int, layer: str) -> float:
    """Distance of the responses of a layer from those at the first visit."""
    first = found.responses[layer][0].astype(np.float64)
    return float(np.linalg.norm(found.responses[layer][visit] - first))
