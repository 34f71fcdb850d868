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
