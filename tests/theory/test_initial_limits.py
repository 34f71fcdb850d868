"""Largest stable learning rates before training: their measurement and the optimizer's part."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.subject.training.test_trainer import NETS, TASK
from virtuallab.registry import OPTIMIZERS, RULES
from virtuallab.subject.rule import stack_settings
from virtuallab.subject.subject import Cohort, Subject
from virtuallab.subject.training.trainer import CohortTrainer
from virtuallab.theory.initial_limits import Curvature, initial_curvatures, step_limit_of

SGD = OPTIMIZERS["sgd"]


def subject(rule: str = "information_alignment", rate: float = 0.01, **settings: object) -> Subject:
    return Subject(
        architecture=NETS["knet4"],
        task=TASK,
        rule=RULES[rule](**settings),
        optimizer=SGD(learning_rate=rate, momentum=0.9),
        label="mine",
        batch_size=16,
        steps=100,
        replicate=0,
        seed=5,
    )


def lowest(one: Subject) -> tuple[str, float]:
    """Stiffest layer of a newborn, and its limit."""
    found = initial_curvatures(one, ["null"])
    limits = {name: step_limit_of(one, curvature) or 0.0 for name, curvature in found.items()}
    return min(limits.items(), key=lambda item: item[1])


@pytest.mark.parametrize(("share", "breaks"), [(0.9, False), (1.1, True)])
def test_a_newborn_whose_forward_weights_rest_breaks_above_its_limit(
    share: float, breaks: bool
) -> None:
    one = subject(positions="sum", null=1.0, delay=10**6)
    _, limit = lowest(one)
    trainer = CohortTrainer(Cohort((one,)), torch.float64, "cpu")
    # Not the subject's own: another learning rate would be another subject, with other weights.
    sgd = SGD(learning_rate=share * limit, momentum=0.9)
    trainer.feedback_optimizer = stack_settings([sgd], torch.float64)
    stimuli, labels = next(trainer.batches())
    sizes = []
    for step in range(200):
        trainer.training_step(stimuli, labels, step)
        sizes.append(max(float(b.abs().max()) for b in trainer.backward_weights))
    assert (sizes[-1] > 100 * sizes[50]) == breaks


def test_the_limit_is_that_of_the_optimizer_of_the_backward_weights() -> None:
    one = replace(subject(decay=0.5), feedback_optimizer=SGD(learning_rate=9.0, momentum=0.0))
    assert step_limit_of(one, Curvature(null=100.0)) == pytest.approx(2 / (1 + 0.01 * 100))
    assert step_limit_of(one, Curvature()) == pytest.approx(2)
    forgetting = SGD(learning_rate=9.0, momentum=0.0, weight_decay=1.0)
    assert step_limit_of(replace(one, feedback_optimizer=forgetting), Curvature()) == pytest.approx(
        1
    )


def test_a_ramp_that_falls_is_stiffest_where_it_begins() -> None:
    one = subject(decay=0.5, ramp="linear", ramp_from=4.0)
    steady = subject(decay=0.5)
    limits = [step_limit_of(each, Curvature()) or 0.0 for each in (one, steady)]
    assert limits[0] == pytest.approx(limits[1] / 4)


@pytest.mark.parametrize("settings", [{"activity": "noise"}, {"centre": True}])
def test_the_limit_is_measured_on_what_the_rule_attends_to(settings: dict[str, object]) -> None:
    own, other = (lowest(subject(**s))[1] for s in ({}, settings))
    assert own != pytest.approx(other, rel=0.05)


@pytest.mark.parametrize(
    ("rule", "primitive"), [("information_alignment", "null"), ("activation_alignment", "sparse")]
)
def test_the_curvature_of_a_dense_layer_is_twice_the_largest_second_moment_of_its_signal(
    rule: str, primitive: str
) -> None:
    one = replace(subject(rule), architecture=NETS["mlp"])
    trainer = CohortTrainer(Cohort((one,)), torch.float32, "cpu")
    stimuli, _ = next(trainer.batches())
    signal = stimuli.flatten(1).double().numpy()
    if primitive == "null":  # of the linear response in the place of the input
        signal = signal @ trainer.network.layers["fc1"].weight[0].detach().double().numpy().T
    found = initial_curvatures(one, [primitive])["fc1"]
    expected = 2 * np.linalg.norm(signal, 2) ** 2 / len(signal)
    assert getattr(found, primitive) == pytest.approx(expected, rel=0.02)
    assert found in (Curvature(null=found.null), Curvature(sparse=found.sparse))


def test_curvature_grows_with_second_moments_and_lowers_the_limit() -> None:
    one, curvature = subject(null=1.0, decay=0.0), Curvature(null=4.0, sparse=1.0)
    assert curvature.grown(2.0) == Curvature(null=8.0, sparse=2.0)
    limits = [step_limit_of(one, each) for each in (curvature, curvature.grown(2.0))]
    assert None not in limits
    assert limits[0] == pytest.approx(2 * (limits[1] or 0))


def test_adam_and_rules_without_alignment_have_no_limit() -> None:
    adam = replace(subject(), optimizer=OPTIMIZERS["adam"](learning_rate=0.1))
    assert step_limit_of(adam, Curvature(null=1.0)) is None
    assert step_limit_of(subject("backprop"), Curvature(null=1.0)) is None
    assert step_limit_of(subject(null=0.0, decay=0.0), Curvature(null=1.0)) == float("inf")
