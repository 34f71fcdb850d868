from __future__ import annotations

from dataclasses import replace

import pytest

from tests.subject.training.test_trainer import subject
from virtuallab.registry import OPTIMIZERS, RULES
from virtuallab.subject.training.short_run import short_runs


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "adamw"])
@pytest.mark.parametrize("rule", list(RULES))
def test_extreme_learning_rates_are_found_for_every_rule_and_optimizer(
    rule: str, optimizer: str
) -> None:
    one = replace(subject(rule, "mlp"), label=rule, steps=100)
    rates = [1e-30, 1e-4, 1e6, 1e39]
    named = OPTIMIZERS[optimizer]
    several = [replace(one, optimizer=named(learning_rate=rate)) for rate in rates]
    runs = short_runs(several)
    assert [run.stagnates for run in runs] == [True, False, False, False]
    assert [run.explodes for run in runs] == [False, False, True, True]


def test_a_learning_rate_of_fifty_explodes() -> None:
    one = replace(subject("backprop", "mlp"), optimizer=OPTIMIZERS["sgd"](learning_rate=50.0))
    [run] = short_runs([one])
    assert run.explodes
    assert run.steps <= one.steps
