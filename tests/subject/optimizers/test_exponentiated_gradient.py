"""Exponentiated gradient keeps signs, changes weights in proportion, and learns."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from virtuallab.registry import ARCHITECTURES, OPTIMIZERS, RULES, TASKS
from virtuallab.subject.network.parameter_layout import parameter_layout
from virtuallab.subject.subject import Cohort, Subject
from virtuallab.subject.training.outcome import Visit
from virtuallab.subject.training.trainer import train

EG = OPTIMIZERS["exponentiated_gradient"]


def after(
    weights: list[float], gradient: list[float], steps: int = 1, **settings: float
) -> list[float]:
    weight, g = (torch.tensor([[each]], dtype=torch.float64) for each in (weights, gradient))
    optimizer = EG(**settings)
    state = optimizer.init([weight])
    for _ in range(steps):
        optimizer.update([weight], [g], state)
    return weight.flatten().tolist()


def test_a_weight_is_multiplied_and_keeps_its_sign() -> None:
    found = after([2.0, -2.0, 0.5, 0.0], [1.0, 1.0, -40.0, 1.0], learning_rate=0.1, momentum=0.0)
    expected = [2 * np.exp(-0.1), -2 * np.exp(0.1), 0.5 * np.exp(4.0), 0.0]
    np.testing.assert_allclose(found, expected)


def test_weight_decay_shrinks_both_signs_at_one_rate() -> None:
    settings = {"learning_rate": 0.1, "momentum": 0.0, "weight_decay": 0.5}
    found = after([2.0, -3.0], [0.0, 0.0], steps=4, **settings)
    np.testing.assert_allclose(found, np.array([2.0, -3.0]) * np.exp(-4 * 0.1 * 0.5))


@pytest.mark.parametrize(("momentum", "rate"), [(0.0, 1.0), (0.9, 0.1)])
def test_a_network_learns_digits_and_no_synapse_changes_its_sign(
    momentum: float, rate: float
) -> None:
    task, architecture = TASKS["digits"](), ARCHITECTURES["knet4"]()
    first = Subject(
        architecture=architecture,
        task=task,
        rule=RULES["backprop"](),
        optimizer=EG(learning_rate=rate, momentum=momentum),
        label="exponentiated gradient",
        batch_size=32,
        steps=372,
        replicate=0,
        seed=1,
    )
    seen: list[Visit] = []
    layout = parameter_layout(architecture, task)
    # One subject alone depends on how the processor rounds.
    some = tuple(replace(first, replicate=number) for number in range(4))
    train(Cohort(some), [0, 372], seen.append)
    assert float(seen[-1].evaluation["validation_performance"].mean()) > 0.9
    before, now = (layout.tensors(torch.from_numpy(visit.state)) for visit in seen)
    for name in layout.kernels:
        assert torch.equal(before[name].sign(), now[name].sign())
        assert not torch.equal(before[name], now[name])
