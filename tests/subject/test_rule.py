"""The settings of a cohort's rules are joined, and defaults of a rule."""

from __future__ import annotations

from dataclasses import dataclass, fields

import pytest
import torch

from virtuallab.registry import OPTIMIZERS, RULES
from virtuallab.subject.network.network import Network
from virtuallab.subject.rule import Rule, Updates, stack_settings


@dataclass(frozen=True, kw_only=True)
class Still(Rule):
    rate: float = 1.0
    count: int = 2
    kind: str = "a"

    def compute_updates(
        self, network: Network, stimuli: torch.Tensor, labels: torch.Tensor, step: int
    ) -> Updates:
        return Updates(torch.zeros(network.subjects), None)


def test_real_numbers_become_a_tensor_over_subjects_and_others_stay() -> None:
    rules = [Still(rate=rate) for rate in (0.5, 2.0)]
    joined = stack_settings(rules, torch.float64)
    assert isinstance(joined, Still)
    assert torch.equal(torch.as_tensor(joined.rate), torch.tensor([0.5, 2.0]).double())
    assert (joined.count, joined.kind) == (2, "a")
    assert rules[0].rate == 0.5  # the rules of the subjects are not changed


@pytest.mark.parametrize("setting", [{"count": 3}, {"kind": "b"}])
def test_a_setting_that_is_no_real_number_must_be_the_same(setting: dict[str, object]) -> None:
    [name] = setting
    with pytest.raises(ValueError, match=f"{name} must be the same in a cohort"):
        stack_settings([Still(), Still(**setting)], torch.float32)


@pytest.mark.parametrize("strength", [0.0, 0.1])
def test_what_one_subject_has_computed_from_its_settings_is_computed_anew(strength: float) -> None:
    alone = OPTIMIZERS["sgd"](learning_rate=0.1)
    other = OPTIMIZERS["sgd"](learning_rate=0.1, weight_decay=strength, noise=strength)
    assert not alone.decays
    assert alone.noise_kinds == (False, False)
    object.__setattr__(alone, "_of_a_plug_in", "stays")
    joined = stack_settings([alone, other], torch.float32)
    assert joined.decays == bool(strength)
    assert joined.noise_kinds == (bool(strength), False)
    assert vars(joined)["_of_a_plug_in"] == "stays"


def test_by_default_every_step_changes_the_forward_weights_under_any_loss() -> None:
    rule = Still()
    assert (rule.first_forward_step, rule.forward_updates(7)) == (0, 7)
    assert rule.loss_incompatibility("mean_squared_error") is None
    assert not any((rule.learns_feedback, rule.shares_decay, rule.feedback))


@pytest.mark.parametrize("name", list(RULES))
def test_every_rule_can_be_joined_in_a_cohort(name: str) -> None:
    joined = stack_settings([RULES[name](), RULES[name]()], torch.float32)
    for field in fields(joined):
        value = getattr(joined, field.name)
        assert not isinstance(value, float)
        assert value.shape == (2,) if isinstance(value, torch.Tensor) else True
