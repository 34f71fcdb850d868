"""Two kinds of noise in weight changes: distribution, streams and absence of side effects."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from tests.subject.cohorts import (
    backward_weights,
    forward_weights,
    subject,
    train_steps,
    trainer_of,
)
from virtuallab.registry import OPTIMIZERS
from virtuallab.subject.subject import Subject
from virtuallab.subject.training.trainer import CohortTrainer

RATE = 0.05
PLAIN = {"learning_rate": RATE, "momentum": 0.0}


def trained(*subjects: Subject, steps: int = 1) -> tuple[CohortTrainer, list[Tensor], list[Tensor]]:
    """Trainer after some steps, with the weights before them."""
    trainer = trainer_of(*subjects)
    before = forward_weights(trainer), backward_weights(trainer)
    train_steps(trainer, steps)
    return trainer, *before


def added_noise(subjects: list[Subject], **settings: float) -> tuple[Tensor, Tensor]:
    """Noise added to one step of all weights, and the step without noise."""
    changed = [
        changes_in_one_step(subjects, {}),
        changes_in_one_step(subjects, settings),
    ]
    quiet, noisy = (torch.cat([c.flatten(1) for c in each], 1) for each in changed)
    return noisy - quiet, quiet


def changes_in_one_step(subjects: list[Subject], settings: dict[str, float]) -> list[Tensor]:
    """Changes in one step. Settings are changed after initialisation, which depends on them."""
    trainer = trainer_of(*subjects)
    for name, value in settings.items():
        each = torch.full((len(subjects),), value, dtype=torch.float64)
        object.__setattr__(trainer.optimizer, name, each)
    before = forward_weights(trainer)
    trainer.training_step(*next(trainer.batches()), 0)
    return [now - then for now, then in zip(forward_weights(trainer), before, strict=True)]


def assert_standard_normal(z: Tensor) -> None:
    """Mean, variance and fourth moment within five standard errors."""
    count = z.numel()
    assert count > 1000
    assert abs(z.mean()) < 5 / count**0.5
    assert abs(z.square().mean() - 1) < 5 * (2 / count) ** 0.5
    assert abs(z.pow(4).mean() - 3) < 5 * (96 / count) ** 0.5


def assert_not_shared(z: Tensor) -> None:
    overlap = torch.corrcoef(z) - torch.eye(len(z), dtype=torch.float64)
    assert overlap.abs().max() < 5 / z.shape[1] ** 0.5


def cohort(optimizer: str = "sgd") -> list[Subject]:
    settings = PLAIN if optimizer == "sgd" else {"learning_rate": RATE}
    return [subject("backprop", "mlp", n, optimizer, optimizer_settings=settings) for n in range(5)]


@pytest.mark.parametrize("optimizer", list(OPTIMIZERS))
def test_noise_is_gaussian_in_units_of_the_learning_rate(optimizer: str) -> None:
    added, _ = added_noise(cohort(optimizer), noise=0.3)
    assert_standard_normal(added / (RATE * 0.3))
    assert_not_shared(added)


@pytest.mark.parametrize("optimizer", list(OPTIMIZERS))
def test_noise_fraction_is_relative_to_each_change(optimizer: str) -> None:
    added, change = added_noise(cohort(optimizer), noise_fraction=0.2)
    moved = (change != 0).all(0)
    assert not added[change == 0].any()
    relative = (added / change / 0.2)[:, moved]
    assert_standard_normal(relative)
    assert_not_shared(relative)


def test_noise_does_not_enter_the_state_of_the_optimizer() -> None:
    quiet = {"learning_rate": RATE, "momentum": 0.9}
    trainer = trainer_of(subject("backprop", optimizer_settings=quiet | {"noise": 0.3}))
    trainer.training_step(*next(trainer.batches()), 0)
    still = trainer_of(subject("backprop", optimizer_settings=quiet | {"noise": 0.3}))
    object.__setattr__(still.optimizer, "noise", torch.zeros(1, dtype=torch.float64))
    still.training_step(*next(still.batches()), 0)
    for a, b in zip(
        trainer.optimizer_state["velocity"], still.optimizer_state["velocity"], strict=True
    ):
        assert torch.equal(a, b)


@pytest.mark.parametrize("kind", ["noise", "noise_fraction"])
def test_noise_of_the_feedback_optimizer_changes_only_backward_weights(kind: str) -> None:
    noisy = subject(
        "symmetric_alignment",
        optimizer_settings=PLAIN,
        feedback_optimizer=OPTIMIZERS["sgd"](**PLAIN, **{kind: 0.4}),
    )
    trainer = trainer_of(noisy)
    quiet = trainer_of(noisy)
    object.__setattr__(quiet.feedback_optimizer, kind, torch.zeros(1, dtype=torch.float64))
    before = backward_weights(trainer)
    for each in (trainer, quiet):
        each.training_step(*next(each.batches()), 0)
    for a, b in zip(forward_weights(trainer), forward_weights(quiet), strict=True):
        assert torch.equal(a, b)
    rows = zip(before, backward_weights(trainer), backward_weights(quiet), strict=True)
    added = []
    for was, a, b in rows:
        unit = RATE if kind == "noise" else b - was
        added.append(((a - b) / unit / 0.4).flatten())
    z = torch.cat(added)
    assert abs(z.mean()) < 5 / len(z) ** 0.5
    assert abs(z.square().mean() - 1) < 5 * (2 / len(z)) ** 0.5


MIXED: list[dict[str, Any]] = [
    {"noise": 0.1},
    {"noise_fraction": 0.2},
    {},
    {"noise": 0.2, "noise_fraction": 0.1},
]


@pytest.mark.parametrize("rule", ["symmetric_alignment", "weight_mirror"])
def test_the_noise_of_a_subject_does_not_depend_on_that_of_others(rule: str) -> None:
    subjects = [
        subject(
            rule,
            number=number,
            optimizer_settings=PLAIN | forward,
            feedback_optimizer=OPTIMIZERS["sgd"](**PLAIN, **back),
        )
        for number, (forward, back) in enumerate(zip(MIXED, reversed(MIXED), strict=True))
    ]
    together, _, _ = trained(*subjects, steps=4)
    for number, one in enumerate(subjects):
        alone, _, _ = trained(one, steps=4)
        for get in (forward_weights, backward_weights):
            for all_, one_ in zip(get(together), get(alone), strict=True):
                torch.testing.assert_close(all_[number], one_[0], rtol=0, atol=1e-9)


def test_weight_decay_of_the_optimizer_does_not_change_backward_weights() -> None:
    for optimizer in OPTIMIZERS:
        trainers = [
            trainer_of(
                subject(
                    "weight_mirror",
                    optimizer=optimizer,
                    rule_settings={"amp": 0.1, "decay": 0.0, "alternate": 1},
                    optimizer_settings={"weight_decay": 0.5},
                )
            )
            for _ in range(2)
        ]
        given = torch.zeros(1, dtype=torch.float64)
        object.__setattr__(trainers[1].optimizer, "weight_decay", given)
        for trainer in trainers:
            trainer.training_step(
                *next(trainer.batches()), 0
            )  # aligns, before a forward weight has changed
        for a, b in zip(*(backward_weights(trainer) for trainer in trainers), strict=True):
            assert torch.equal(a, b)
        # Without growth a backward weight is constant, while with decay it would shrink.
        for trainer in trainers[:1]:
            object.__setattr__(trainer.rule, "amp", given)
            trainer.feedback_optimizer_state = trainer.feedback_optimizer.init(
                trainer.backward_weights
            )
            before = backward_weights(trainer)
            trainer.training_step(*next(trainer.batches()), 2)
            for a, b in zip(before, backward_weights(trainer), strict=True):
                assert torch.equal(a, b)
