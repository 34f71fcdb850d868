"""Schedules have the factors that were published, and every weight follows them."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from tests.subject.cohorts import forward_weights, subject, trainer_of
from virtuallab.registry import SCHEDULES

EPOCHS = 100


def factors(name: str, **settings: Any) -> list[float]:
    made = SCHEDULES[name](**settings)
    return [made.factor(epoch / EPOCHS) for epoch in range(EPOCHS)]


def published(epoch: int) -> float:
    """The schedule of the released code: epochs, and multipliers from there on."""
    rate = epoch / 5
    for multiplier, first in ((1.0, 5), (0.1, 30), (0.01, 60), (0.001, 80)):
        if epoch >= first:
            rate = multiplier
    return rate


def test_steps_are_those_of_the_released_code() -> None:
    np.testing.assert_allclose(factors("steps"), [published(n) for n in range(EPOCHS)], rtol=1e-12)
    assert factors("steps")[5] == 1
    assert factors("steps", warmup=0.0, drops=(0.5,), drop_factor=0.5) == [1.0] * 50 + [0.5] * 50


@pytest.mark.parametrize("drops", [(0.8, 0.3), (0.3, 0.3)])
def test_drops_that_do_not_ascend_are_refused(drops: tuple[float, ...]) -> None:
    with pytest.raises(
        ValueError, match=f"drops have to ascend; found {drops[1]} after {drops[0]}"
    ):
        SCHEDULES["steps"](drops=drops)


def test_a_cosine_falls_to_its_end() -> None:
    found = SCHEDULES["cosine"](final=0.1)
    np.testing.assert_allclose([found.factor(p) for p in (0.0, 0.5, 1.0)], [1, 0.55, 0.1])
    rising = factors("cosine", warmup=0.2)
    np.testing.assert_allclose(rising[:20], np.arange(20) / 20)
    assert rising[20] == 1
    assert all(after < before for before, after in itertools.pairwise(rising[20:]))


def test_a_constant_rate_does_not_change() -> None:
    assert factors("constant") == [1.0] * EPOCHS


def steps_of(schedule: Any, optimizer: str, rule: str = "kolen_pollack") -> list[list[np.ndarray]]:
    """Forward and backward weights before and after each of four training steps."""
    one = subject(rule, optimizer=optimizer, steps=4, schedule=schedule)
    trainer = trainer_of(one)
    found = []
    for step, batch in zip(range(5), trainer.batches(), strict=False):
        weights = [*forward_weights(trainer), *trainer.backward_weights]
        found.append([weight.numpy().copy() for weight in weights])
        if step < 4:
            trainer.training_step(*batch, step)
    return found


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "exponentiated_gradient"])
def test_a_rate_of_zero_moves_no_weight_and_a_later_step_does(optimizer: str) -> None:
    stopped = SCHEDULES["steps"](warmup=0.0, drops=(0.5,), drop_factor=0.0)
    found = steps_of(stopped, optimizer)
    changes = [
        [float(np.abs(now - before).max()) for before, now in zip(*pair, strict=True)]
        for pair in itertools.pairwise(found)
    ]
    assert all(change > 0 for step in changes[:2] for change in step)
    assert all(change == 0 for step in changes[2:] for change in step)


def first_change(factor: float, optimizer: str) -> list[np.ndarray]:
    """Changes of all weights in the first step, with the learning rate times a factor."""
    one = subject("kolen_pollack", optimizer=optimizer)
    trainer = trainer_of(one)
    batch = next(trainer.batches())
    schedule = SCHEDULES["steps"](warmup=0.0, drops=(0.0,), drop_factor=factor)
    trainer.subjects = (replace(one, schedule=schedule),)  # with the streams of the same subject
    weights = [*trainer.network.parameters, *trainer.backward_weights]
    before = [weight.detach().clone() for weight in weights]
    trainer.training_step(*batch, 0)
    return [(now.detach() - then).numpy() for now, then in zip(weights, before, strict=True)]


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_forward_and_backward_weights_follow_the_factor(optimizer: str) -> None:
    whole, half = first_change(1.0, optimizer), first_change(0.5, optimizer)
    assert len(whole) == 6 + 3  # weights and biases of three layers, and their backward weights
    for one, other in zip(whole, half, strict=True):
        assert np.abs(one).max() > 0
        np.testing.assert_allclose(other, 0.5 * one, rtol=1e-6, atol=1e-12)


def test_a_schedule_leaves_the_state_of_the_optimizer_alone() -> None:
    one = subject("backprop", optimizer="adam")
    moments = []
    for factor in (1.0, 0.5):
        trainer = trainer_of(one)
        batch = next(trainer.batches())
        schedule = SCHEDULES["steps"](warmup=0.0, drops=(0.0,), drop_factor=factor)
        trainer.subjects = (replace(one, schedule=schedule),)
        trainer.training_step(*batch, 0)
        moments.append(trainer.optimizer_state)
    for name in ("mean", "square"):
        for first, second in zip(moments[0][name], moments[1][name], strict=True):
            assert torch.equal(first, second)


def test_training_equals_torch_with_a_scheduler() -> None:
    """Weights follow torch's own optimizer with the same factors in ``LambdaLR``."""
    one = subject("backprop", steps=10, schedule=SCHEDULES["cosine"](warmup=0.3))
    trainer = trainer_of(one)
    module = trainer.population
    plain = [p.detach()[0].clone().requires_grad_() for p in module.parameters()]
    made = torch.optim.SGD(plain, lr=0.02, momentum=0.9)
    scheduler = torch.optim.lr_scheduler.LambdaLR(made, lambda n: one.schedule.factor(n / 10))
    for step, (stimuli, labels) in zip(range(10), trainer.batches(), strict=False):
        x = stimuli.flatten(1)
        for weight, bias in zip(plain[:-2:2], plain[1:-2:2], strict=True):
            x = torch.relu(x @ weight.T + bias)
        scores = x @ plain[-2].T + plain[-1]
        made.zero_grad()
        torch.nn.functional.cross_entropy(scores, labels[:, 0]).backward()
        made.step()
        scheduler.step()
        trainer.training_step(stimuli, labels, step)
    for found, expected in zip(module.parameters(), plain, strict=True):
        torch.testing.assert_close(found[0], expected, rtol=0, atol=1e-10)
