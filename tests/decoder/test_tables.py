"""Intervals that hold for the best of many."""

from __future__ import annotations

import numpy as np
import xarray as xr

from virtuallab.decoder.tables import with_simultaneous
from virtuallab.decoder.uncertainty.intervals import balanced_accuracy, interval

RULES = np.array(["adam", "oja", "sgdm"], dtype=object)


def table(counts: np.ndarray, scheme: str = "strict") -> xr.Dataset:
    """The verdict of many classifiers with these confusions, (classifier, true, predicted)."""
    bounds = [interval(each, 0.95) for each in counts]
    return xr.Dataset(
        {
            "balanced_accuracy": ("classifier", [balanced_accuracy(each) for each in counts]),
            "interval": (("classifier", "bound"), np.array(bounds)),
            "confusion": (("classifier", "true_rule", "predicted_rule"), counts),
        },
        {"true_rule": RULES, "predicted_rule": RULES, "bound": ["low", "high"]},
        {"confidence": 0.95, "scheme": scheme},
    )


def guesses(tables: int, classifiers: int, seed: int) -> np.ndarray:
    """Confusions of classifiers that guess, of 20 subjects a rule."""
    drawn = np.random.default_rng(seed).multinomial(20, [1 / 3] * 3, (tables, classifiers, 3))
    return np.asarray(drawn, dtype=float)


def test_the_best_of_ten_guessing_classifiers_is_not_above_chance() -> None:
    plain = corrected = 0
    for counts in guesses(400, 10, 3):
        found = with_simultaneous(table(counts))
        best = int(found["balanced_accuracy"].values.argmax())
        plain += float(found["interval"][best, 0]) > 1 / 3
        corrected += float(found["simultaneous_interval"][best, 0]) > 1 / 3
    assert plain > 16  # of 10 to be expected where one is asked
    assert corrected <= 10


def test_one_result_needs_no_correction_and_what_is_not_measured_counts_for_none() -> None:
    counts = guesses(1, 2, 5)[0]
    one = table(counts)
    one["balanced_accuracy"][1] = np.nan
    one["interval"][1] = np.nan
    found = with_simultaneous(one)
    xr.testing.assert_equal(found["simultaneous_interval"], found["interval"])


def test_layers_as_samples_take_standard_errors_of_that_confidence() -> None:
    found = with_simultaneous(table(guesses(1, 2, 5)[0], "published"))
    accuracy = found["balanced_accuracy"]
    wider = abs(found["simultaneous_interval"] - accuracy) / abs(found["interval"] - accuracy)
    np.testing.assert_allclose(wider, 2.2414 / 1.96, rtol=1e-4)
