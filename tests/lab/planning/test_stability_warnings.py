from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from tests.subject.training.test_trainer import NETS, TASK
from virtuallab.lab.planning.stability_warnings import GROWTH, stability_warnings
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


def test_a_rule_above_its_limit_at_birth_is_named_with_the_layer_and_the_numbers() -> None:
    calm = subject(positions="sum")
    layer, limit = lowest(calm)
    hot = replace(calm, optimizer=SGD(learning_rate=1.3 * limit, momentum=0.9), label="hot")
    [said] = stability_warnings([calm, hot])
    assert said.startswith("hot: ")
    for words in (f"layer {layer!r}", f"{1.3 * limit:.2g}", "mean over positions"):
        assert words in said
    assert "may" not in said


def test_a_rule_near_its_limit_is_warned_of_growing_activity() -> None:
    calm = subject(positions="sum")
    _, limit = lowest(calm)
    near = replace(calm, optimizer=SGD(learning_rate=2 * limit / GROWTH, momentum=0.9))
    [said] = stability_warnings([calm, near])
    assert "growing activity may lower it" in said
    far = replace(calm, optimizer=SGD(learning_rate=0.5 * limit / GROWTH, momentum=0.9))
    assert stability_warnings([calm, far]) == ()


def test_forgetting_has_a_limit_in_every_layer_alike() -> None:
    one = subject("symmetric_alignment", rate=0.1, decay=30.0)
    assert step_limit_of(one, Curvature()) == pytest.approx(2 * 1.9 / 60)
    [said] = stability_warnings([one])
    assert "every layer at initialization is 0.063" in said


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


def test_an_optimizer_that_scales_its_steps_has_no_such_limit() -> None:
    [said] = stability_warnings(
        [replace(subject(), optimizer=OPTIMIZERS["adam"](learning_rate=10.0))]
    )
    assert said.startswith("mine: not checked")
    assert "adam" in said


def test_rules_whose_backward_weights_do_not_align_are_left_alone() -> None:
    names = ("backprop", "feedback_alignment", "kolen_pollack")
    assert stability_warnings([subject(name, rate=10.0) for name in names]) == ()


@pytest.mark.parametrize("settings", [{"activity": "noise"}, {"centre": True}])
def test_the_limit_is_measured_on_what_the_rule_attends_to(settings: dict[str, object]) -> None:
    own, other = (lowest(subject(**s))[1] for s in ({}, settings))
    assert own != pytest.approx(other, rel=0.05)
