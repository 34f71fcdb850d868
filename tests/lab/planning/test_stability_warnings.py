from __future__ import annotations

from dataclasses import replace

import pytest

from tests.theory.test_initial_limits import SGD, lowest, subject
from virtuallab.lab.planning.stability_warnings import GROWTH, stability_warnings
from virtuallab.registry import OPTIMIZERS
from virtuallab.theory.initial_limits import Curvature, step_limit_of


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


def test_an_optimizer_that_scales_its_steps_has_no_such_limit() -> None:
    [said] = stability_warnings(
        [replace(subject(), optimizer=OPTIMIZERS["adam"](learning_rate=10.0))]
    )
    assert said.startswith("mine: not checked")
    assert "adam" in said


def test_rules_whose_backward_weights_do_not_align_are_left_alone() -> None:
    names = ("backprop", "feedback_alignment", "kolen_pollack")
    assert stability_warnings([subject(name, rate=10.0) for name in names]) == ()
