"""How far stated probabilities come true."""

from __future__ import annotations

import numpy as np
import pytest

from tests.decoder.uncertainty.test_calibration import drawn
from virtuallab.decoder.diagnostics.reliability import reliability


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
