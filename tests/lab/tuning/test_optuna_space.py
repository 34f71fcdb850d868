"""Open settings and the distributions of Optuna that stand for them."""

from __future__ import annotations

import numpy as np
import optuna
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from tests.protocol.texts import protocol
from virtuallab.lab.tuning.optuna_space import distribution, values_of
from virtuallab.protocol import SearchStudy, search_studies
from virtuallab.protocol.settings.distributions import (
    Choice,
    Distribution,
    LogUniform,
    Uniform,
)


@pytest.mark.parametrize(
    ("setting", "expected"),
    [
        (Uniform(0.0, 2.0), FloatDistribution(0.0, 2.0)),
        (Uniform(0, 2), IntDistribution(0, 2)),
        (Uniform(0, 2.5), FloatDistribution(0, 2.5)),
        (LogUniform(1e-4, 0.1), FloatDistribution(1e-4, 0.1, log=True)),
        (LogUniform(1, 64), IntDistribution(1, 64, log=True)),
        (Choice((0.0, 0.9, 0.99)), CategoricalDistribution(range(3))),
        (Choice(((8,), (8, 4))), CategoricalDistribution(range(2))),
    ],
)
def test_each_form_has_its_distribution_in_optuna(
    setting: Distribution, expected: optuna.distributions.BaseDistribution
) -> None:
    assert distribution(setting) == expected


class Normal(Distribution):
    """A distribution that a search has no counterpart of."""

    entries = (0.0, 1.0)

    def draw(self, stream: np.random.Generator) -> float:
        return float(stream.normal())


def test_a_distribution_without_a_counterpart_is_refused() -> None:
    with pytest.raises(TypeError, match="is no distribution that can be searched"):
        distribution(Normal())


@pytest.fixture(scope="module")
def study() -> SearchStudy:
    amp = "      amp: {uniform: [0.01, 0.1]}\n      feedback_optimizer: {name: sgd, momentum: "
    made = protocol(("      amp: 0.02\n", amp + "{choice: [0.0, 0.9]}}\n"))
    return search_studies(made)[1]


def test_parameters_become_values_of_settings(study: SearchStudy) -> None:
    found = values_of(
        study,
        {
            "amp": 0.0123456789,
            "optimizer.learning_rate": 0.0987654321,
            "feedback_optimizer.momentum": 1,
        },
    )
    assert found == {
        "amp": 0.0123457,
        "optimizer.learning_rate": 0.0987654,
        "feedback_optimizer.momentum": 0.9,
    }


def test_rounding_does_not_leave_the_bounds(study: SearchStudy) -> None:
    assert values_of(study, {"amp": 0.1 - 1e-12}) == {"amp": 0.1}
    assert values_of(study, {"amp": 0.0099999999}) == {"amp": 0.01}


def test_a_trial_that_was_proposed_in_part_has_its_part(study: SearchStudy) -> None:
    assert values_of(study, {}) == {}
    assert values_of(study, {"feedback_optimizer.momentum": 0, "other": 3}) == {
        "feedback_optimizer.momentum": 0.0
    }


def test_whatever_optuna_proposes_is_a_value_that_the_setting_allows(study: SearchStudy) -> None:
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    space = {path: distribution(each) for path, each in study.space.items()}
    kept = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=1))
    for _ in range(50):
        found = values_of(study, kept.ask(space).params)
        assert found.keys() == study.space.keys()
        assert 0.01 <= found["amp"] <= 0.1
        assert 0.01 <= found["optimizer.learning_rate"] <= 0.1
        assert found["feedback_optimizer.momentum"] in (0.0, 0.9)
    [subject] = study.trial(found, 1)
    assert subject.rule.amp == found["amp"]  # type: ignore[attr-defined]
    assert subject.optimizer.learning_rate == found["optimizer.learning_rate"]
