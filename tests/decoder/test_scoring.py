"""Scores of probabilities against true rules."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from sklearn.metrics import balanced_accuracy_score, log_loss

from virtuallab.decoder.scoring import score_probabilities

RULES = ["sgdm", "adam", "feedback"]


def drawn(count: int = 60) -> tuple[np.ndarray, np.ndarray]:
    stream = np.random.default_rng(1)
    return stream.dirichlet(np.ones(3), count), stream.choice(RULES, count)


def test_scores_are_those_of_scikit_learn() -> None:
    probability, labels = drawn()
    found = score_probabilities(probability, labels, RULES)
    predicted = np.array(RULES)[probability.argmax(1)]
    expected = balanced_accuracy_score(labels, predicted)
    assert float(found["balanced_accuracy"]) == pytest.approx(expected)
    in_order = probability[:, np.argsort(RULES)]
    assert float(found["log_loss"]) == pytest.approx(log_loss(labels, in_order))
    hot = labels[:, None] == np.sort(RULES)
    assert float(found["brier"]) == pytest.approx(((in_order - hot) ** 2).sum(1).mean())
    assert float(found["confusion"].sum()) == len(labels)


def test_the_order_of_columns_does_not_matter() -> None:
    probability, labels = drawn()
    first = score_probabilities(probability, labels, RULES)
    turned = score_probabilities(probability[:, ::-1], labels, RULES[::-1])
    xr.testing.assert_identical(first, turned)


def test_equally_probable_rules_share_a_subject() -> None:
    probability = np.array([[0.4, 0.4, 0.2], [0.0, 0.1, 0.9]])
    found = score_probabilities(probability, np.array(["sgdm", "feedback"]), RULES)
    row = found["confusion"].sel(true_rule="sgdm")
    assert row.sel(predicted_rule=RULES).values.tolist() == [0.5, 0.5, 0.0]
    assert float(found["balanced_accuracy"]) == 0.75


def test_a_wider_confidence_widens_the_interval() -> None:
    probability, labels = drawn()
    narrow, wide = (
        score_probabilities(probability, labels, RULES, confidence=each)["interval"].values
        for each in (0.5, 0.99)
    )
    assert wide[0] < narrow[0] < narrow[1] < wide[1]


def test_a_kind_without_a_rule_is_scored_by_the_others() -> None:
    probability, labels = (
        np.eye(3)[[0, 1, 1, 2]],
        np.array(["sgdm", "adam", "feedback", "feedback"]),
    )
    kinds = np.array(["one", "one", "two", "two"])
    found = score_probabilities(probability, labels, RULES, kinds=kinds)
    assert found["kind"].values.tolist() == ["two", "one"]
    assert found["kind_accuracy"].values.tolist() == [0.5, 1.0]
