"""Levels of the rules of a plan."""

from __future__ import annotations

import pytest

from tests.lab.stages.tiny import TEXT
from virtuallab.decoder.levels import Level
from virtuallab.lab.planning.plan import lay_out
from virtuallab.lab.planning.rule_levels import levels_of
from virtuallab.protocol import read_text
from virtuallab.registry import RULES

ADAM = "{name: backprop, label: adam, optimizer: {name: adam, learning_rate: 0.01}}"


def levels(*rules: str) -> dict[str, Level]:
    text = f"subjects.rules=[{', '.join(rules)}]"
    return {level.name: level for level in levels_of(lay_out(read_text(TEXT, overrides=[text])))}


def test_an_optimizer_is_that_of_the_entry() -> None:
    found = levels("backprop", ADAM, "feedback_alignment")
    assert list(found) == ["optimizer", "error return"]
    assert found["optimizer"].members(["adam", "backprop", "feedback_alignment"]) == {
        "adam": ["adam"],
        "sgd": ["backprop", "feedback_alignment"],
    }
    assert found["error return"].groups == {
        "adam": "forward weights",
        "backprop": "forward weights",
        "feedback_alignment": "fixed backward weights",
    }


def test_an_objective_is_that_of_the_class() -> None:
    found = levels("backprop", "node_perturbation", "reward_modulated_hebbian", "oja")
    assert list(found) == ["objective"]  # the error returns in four ways, as the labels say
    assert found["objective"].members(["backprop", "node_perturbation", "oja"]) == {
        "supervised loss": ["backprop", "node_perturbation"],
        "local or unsupervised": ["oja"],
    }


def test_levels_that_do_not_group_the_rules_are_left_out() -> None:
    assert levels("backprop", "{name: backprop, label: again}") == {}
    assert levels("backprop", "feedback_alignment") == {}


def test_a_rule_that_declares_nothing_is_a_group_of_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(RULES["sign_symmetry"], "error_return", None)
    found = levels("backprop", ADAM, "sign_symmetry")["error return"]
    assert "sign_symmetry" not in found.groups
    assert found.group_of("sign_symmetry") == "sign_symmetry"
