"""States are drawn anew at each visit and modulate all units of it."""

from __future__ import annotations

import numpy as np

from tests.subject.trajectories import learner, moved_by, prepared


def test_nothing_accumulates_over_visits() -> None:
    further = [
        moved_by(found, 3, "fc3") > moved_by(found, 1, "fc3")
        for found in (prepared("state_change", seed) for seed in range(80))
    ]
    assert 22 <= sum(further) <= 58  # 4 standard deviations around a half


def test_the_first_visit_is_modulated_too() -> None:
    own = learner().prepared(learner().states).responses["fc3"]
    for seed in range(10):
        first = prepared("state_change", seed).responses["fc3"][0]
        assert np.abs(own - first).max((1, 2)).min() > 1e-3


def test_a_state_is_one_gain_and_one_offset_of_each_unit() -> None:
    found = prepared("state_change", 0).responses["fc3"].astype(float)
    for visit in found[1:]:
        for first, later in zip(found[0].T, visit.T, strict=True):
            assert np.corrcoef(first, later)[0, 1] > 1 - 1e-6


def test_units_share_the_gain_of_a_visit() -> None:
    """Most units of a visit become stronger together, or weaker together."""
    shared = []
    for seed in range(40):
        spread = prepared("state_change", seed).responses["fc3"].astype(float).std(1)
        stronger = (spread[1:] > spread[0]).mean(1)
        shared.append(np.abs(2 * stronger - 1).mean())
    assert np.mean(shared) > 0.8  # loadings have a mean of twice their spread; chance is 0.25
