"""Drift of tuning keeps the mean and the variance of each unit, and nothing else."""

from __future__ import annotations

import numpy as np

from tests.subject.trajectories import moved_by, prepared

LAST = "fc3"  # not rectified


def test_the_mean_over_stimuli_stays() -> None:
    for seed in range(10):
        means = prepared("tuning_drift", seed).responses[LAST].astype(float).mean(1)
        np.testing.assert_allclose(means, np.broadcast_to(means[0], means.shape), atol=1e-5)


def test_the_variance_over_stimuli_stays_on_average() -> None:
    variances = np.array(
        [prepared("tuning_drift", seed).responses[LAST].var(1) for seed in range(40)]
    )
    ratio = variances[:, 1:] / variances[:, :1]
    np.testing.assert_allclose(ratio.mean((0, 2)), 1, atol=0.06)


def test_units_change_each_for_itself_from_hardly_to_beyond_recognition() -> None:
    similar = []
    for seed in range(40):
        found = prepared("tuning_drift", seed).responses[LAST].astype(float)
        tuning = found - found.mean(1, keepdims=True)
        cosine = (tuning[0] * tuning[3]).sum(0) / np.linalg.norm(tuning[[0, 3]], axis=1).prod(0)
        assert np.ptp(cosine) > 1e-4
        similar.append(cosine.mean())
    assert max(similar) > 0.98
    assert min(similar) < 0.3


def test_changes_accumulate() -> None:
    further = [
        moved_by(found, 3, LAST) > moved_by(found, 1, LAST)
        for found in (prepared("tuning_drift", seed) for seed in range(40))
    ]
    assert sum(further) >= 32
