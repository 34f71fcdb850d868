"""Predictions: the most probable rule, and prediction sets."""

from __future__ import annotations

import numpy as np
import pytest

from virtuallab.decoder.prediction import Prediction


@pytest.fixture
def prediction() -> Prediction:
    return Prediction.of(
        ("adam", "oja", "sgdm"),
        probability=np.array([[0.2, 0.7, 0.1], [0.5, 0.1, 0.4]]),
        p_value=np.array([[0.3, 0.8, 0.05], [0.04, 0.01, 0.2]]),
        novelty=np.array([-1.0, 2.0]),
        novelty_p_value=np.array([0.6, 0.01]),
        distance_p_value=np.array([0.5, 0.02]),
    )


def test_the_dimensions_of_an_array_follow_from_their_number(prediction: Prediction) -> None:
    for name in ("probability", "p_value"):
        assert getattr(prediction, name).dims == ("subject", "rule")
    for name in ("novelty", "novelty_p_value", "distance_p_value"):
        assert getattr(prediction, name).dims == ("subject",)
    assert prediction.novelty.values.tolist() == [-1, 2]
    assert prediction.novelty_p_value.values.tolist() == [0.6, 0.01]
    assert prediction.distance_p_value.values.tolist() == [0.5, 0.02]


def test_the_rule_is_the_most_probable_one(prediction: Prediction) -> None:
    assert prediction.rule.values.tolist() == ["oja", "adam"]


@pytest.mark.parametrize(
    ("coverage", "expected"),
    [
        (0.9, [{"adam", "oja"}, {"sgdm"}]),
        (0.97, [{"adam", "oja", "sgdm"}, {"adam", "sgdm"}]),
        (0.5, [{"oja"}, set()]),
    ],
)
def test_a_set_holds_the_rules_whose_p_value_exceeds_one_minus_the_coverage(
    prediction: Prediction, coverage: float, expected: list[set[str]]
) -> None:
    rules = prediction.dataset["rule"].values
    sets = prediction.sets(coverage)
    assert sets.dims == ("subject", "rule")
    assert [set(rules[inside].tolist()) for inside in sets.values] == expected


def test_a_p_value_of_a_tenth_is_in_the_set_at_ninety_per_cent() -> None:
    """P-values are shares of whole numbers of subjects, so that 2 of 20 occurs."""
    tenth = Prediction.of(("a", "b"), p_value=np.array([[2 / 20, 1 / 20]]))
    assert tenth.sets(0.9).values.tolist() == [[True, False]]
