"""Probabilities, and how far what they state comes true."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression

from virtuallab.decoder.diagnostics.reliability import reliability
from virtuallab.decoder.uncertainty.calibration import temperature, tempered


def drawn(count: int, seed: int = 0, sharpness: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities, and truths that come about as these say."""
    stream = np.random.default_rng(seed)
    exact = stream.dirichlet([0.7] * 4, count)
    truth = np.array([stream.choice(4, p=row) for row in exact])
    return tempered(exact, 1 / sharpness), truth


def test_exact_probabilities_are_left_as_they_are() -> None:
    probability, truth = drawn(4_000)
    assert temperature(probability, truth) == pytest.approx(1, abs=0.06)


@pytest.mark.parametrize("sharpness", [0.4, 2.0])
def test_a_decoder_too_sure_or_too_modest_is_set_right(sharpness: float) -> None:
    known, seen = drawn(4_000, 1, sharpness)
    asked, truth = drawn(4_000, 2, sharpness)
    before = reliability(asked, truth)
    after = reliability(tempered(asked, temperature(known, seen)), truth)
    assert before.error > 0.08
    assert after.error < 0.03
    assert after.brier < before.brier


def test_the_temperature_is_that_of_scikit_learn() -> None:
    stream = np.random.default_rng(0)
    x = stream.standard_normal((600, 5))
    y = (x[:, 0] + stream.standard_normal(600) > 0).astype(int) + (x[:, 1] > 1)
    model = LogisticRegression(C=100).fit(x[:100], y[:100])
    theirs = CalibratedClassifierCV(FrozenEstimator(model), method="temperature")
    theirs.fit(x[100:], y[100:])
    rough = model.predict_proba(x[100:])
    mine = tempered(rough, temperature(rough, y[100:]))
    np.testing.assert_allclose(theirs.predict_proba(x[100:]), mine, atol=0.02)


def test_the_order_of_rules_is_kept() -> None:
    probability, _ = drawn(50)
    for hot in (0.3, 5.0):
        np.testing.assert_array_equal(tempered(probability, hot).argmax(1), probability.argmax(1))


def test_a_vote_of_none_is_no_proof() -> None:
    certain = np.eye(3)[[0, 1, 2, 0]]
    found = tempered(certain, temperature(certain, np.array([0, 1, 2, 1])))
    assert (found > 0).all()
    assert np.isfinite(found).all()


def test_few_samples_scatter_and_that_is_told() -> None:
    errors = [reliability(*drawn(200, seed)) for seed in range(30)]
    observed = np.mean([each.error for each in errors])
    assert observed == pytest.approx(np.mean([each.least_error for each in errors]), rel=0.2)
    assert reliability(*drawn(5_000)).least_error < errors[0].least_error / 3


def test_what_was_stated_is_counted_by_bin() -> None:
    probability, truth = drawn(1_000)
    found = reliability(probability, truth, bins=5)
    assert found.count.sum() == 1_000
    assert np.average(found.stated, weights=found.count) == pytest.approx(probability.max(1).mean())
    assert np.average(found.observed, weights=found.count) == pytest.approx(
        (probability.argmax(1) == truth).mean()
    )


def test_the_brier_score_is_its_definition() -> None:
    probability, truth = drawn(300)
    expected = ((probability - np.eye(4)[truth]) ** 2).sum(1).mean()
    assert reliability(probability, truth).brier == pytest.approx(expected)
