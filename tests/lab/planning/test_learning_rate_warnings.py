from __future__ import annotations

from dataclasses import replace

from tests.subject.training.test_trainer import subject
from virtuallab.lab.planning.learning_rate_warnings import learning_rate_warnings
from virtuallab.registry import OPTIMIZERS
from virtuallab.subject.subject import Subject


def at(rate: float, label: str, optimizer: str = "sgd") -> Subject:
    one = subject("backprop", "mlp")
    return replace(one, optimizer=OPTIMIZERS[optimizer](learning_rate=rate), label=label)


def test_a_rule_is_warned_of_the_ends_of_its_learning_rates() -> None:
    said = learning_rate_warnings(
        [at(0.05, "usual"), at(1e-30, "wide"), at(0.05, "wide"), at(50.0, "wide")]
    )
    assert len(said) == 2
    [low] = [each for each in said if "1e-30" in each]
    assert low.startswith("wide: at a learning rate of 1e-30, ")
    assert low.endswith(("Raise it, or train for longer.", "Raise it."))
    [high] = [each for each in said if "rate of 50," in each]
    assert high.endswith("trial steps. Lower it.")


def test_what_single_precision_does_not_hold_is_named() -> None:
    [low] = learning_rate_warnings([at(1e-320, "a", "adam")])
    assert low.endswith("in single precision it is 0. Raise it.")
    [high] = learning_rate_warnings([at(1e39, "a")])
    assert "no longer finite" in high
