from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from tests.subject.cohorts import (
    backward_weights,
    subject,
    train_steps,
    trainer_of,
)
from virtuallab.errors import UserError
from virtuallab.registry import OPTIMIZERS, RULES
from virtuallab.subject.training.compatibility import optimizer_incompatibility
from virtuallab.subject.training.trainer import CohortTrainer


@pytest.mark.parametrize("net", ["mlp", "knet4"])
@pytest.mark.parametrize("matched", [True, False])
def test_kolen_pollack_weights_converge_at_the_rate_of_their_decay(net: str, matched: bool) -> None:
    rates, decays = (0.02, 0.05), (0.5, 0.1)
    trainer = trainer_of(
        *(
            subject(
                "kolen_pollack",
                net,
                number,
                rule_settings={"decay": decay, "matched": matched},
                optimizer_settings={"learning_rate": rate, "momentum": 0.0},
            )
            for number, (rate, decay) in enumerate(zip(rates, decays, strict=True))
        )
    )
    before = weight_differences(trainer)
    train_steps(trainer, 30)
    for number, (rate, decay) in enumerate(zip(rates, decays, strict=True)):
        share = (1 - 2 * rate * decay) ** 30
        for first, last in zip(before, weight_differences(trainer), strict=True):
            exact = torch.allclose(last[number], share * first[number], rtol=1e-9, atol=1e-12)
            assert exact == matched


@pytest.mark.parametrize("optimizer", ["sgd", "adamw"])
def test_weight_decay_acts_on_both_of_kolen_and_pollacks_weights(optimizer: str) -> None:
    """The weights converge as if ``decay`` were larger by half of the optimizer's decay."""
    rate, decay, own_decay, steps = 0.02, 0.3, 0.1 if optimizer == "sgd" else 0.0, 30
    settings = {"learning_rate": rate, "weight_decay": decay}
    if optimizer == "sgd":
        settings["momentum"] = 0.0
    one = subject(
        "kolen_pollack",
        "knet4",
        optimizer=optimizer,
        rule_settings={"decay": own_decay},
        optimizer_settings=settings,
    )
    trainer = trainer_of(one)
    assert one.backward_optimizer == one.optimizer
    before = weight_differences(trainer)
    train_steps(trainer, steps)
    share = (1 - rate * (2 * own_decay + decay)) ** steps
    for first, last in zip(before, weight_differences(trainer), strict=True):
        torch.testing.assert_close(last, share * first, rtol=1e-9, atol=1e-12)


def test_unmatched_weight_decay_acts_on_the_forward_weight_alone() -> None:
    one = subject(
        "kolen_pollack",
        rule_settings={"matched": False},
        optimizer_settings={"weight_decay": 0.3},
    )
    assert one.backward_optimizer.weight_decay == 0
    assert (
        subject(
            "symmetric_alignment", optimizer_settings={"weight_decay": 0.3}
        ).backward_optimizer.weight_decay
        == 0
    )


def weight_differences(trainer: CohortTrainer) -> list[Tensor]:
    """Backward minus forward weight of each layer."""
    weights = [layer.weight for layer in trainer.network.layers.values()]
    return [(b - w).detach() for b, w in zip(backward_weights(trainer), weights, strict=True)]


@pytest.mark.parametrize(
    ("own", "named"),
    [
        ({"learning_rate": 0.01}, "learning_rate"),
        ({"learning_rate": 0.02, "momentum": 0.5}, "momentum"),
        ({"learning_rate": 0.02, "weight_decay": 0.2}, "weight_decay"),
        ({"learning_rate": 0.02, "noise": 0.4}, None),
    ],
)
def test_kolen_pollack_rejects_optimizers_that_give_its_weights_different_steps(
    own: dict[str, float], named: str | None
) -> None:
    feedback = OPTIMIZERS["sgd"](**own)
    one = subject(
        "kolen_pollack", feedback_optimizer=feedback, optimizer_settings={"weight_decay": 0.1}
    )
    if named is None:
        assert optimizer_incompatibility(one) is None
        assert trainer_of(one).feedback_optimizer.weight_decay == pytest.approx(0.1)
        return
    with pytest.raises(UserError, match=f"differs from optimizer in {named}[.] Leave it out"):
        trainer_of(one)
    unmatched = replace(one, rule=RULES["kolen_pollack"](matched=False))
    assert optimizer_incompatibility(unmatched) is None
