"""Gains scale the tuning of units; excitability shifts it in half of the subjects."""

from __future__ import annotations

import numpy as np

from tests.subject.trajectories import prepared


def cosines(seed: int) -> np.ndarray:
    """Cosine of the responses of each unit at later visits with those at the first."""
    found = prepared("gain_change", seed).responses["fc3"].astype(float)
    lengths = np.linalg.norm(found, axis=1)
    return np.einsum("su,vsu->vu", found[0], found[1:]) / (lengths[0] * lengths[1:])


def test_in_half_of_the_subjects_each_unit_keeps_its_tuning_exactly() -> None:
    exact = [bool((cosines(seed) > 1 - 1e-6).all()) for seed in range(40)]
    assert 8 <= sum(exact) <= 32


def test_the_gains_of_units_differ_and_are_those_of_all_stimuli() -> None:
    seed = next(seed for seed in range(40) if (cosines(seed) > 1 - 1e-6).all())
    found = prepared("gain_change", seed).responses["fc3"].astype(float)
    gains = found[1:] / found[0]
    np.testing.assert_allclose(gains, np.broadcast_to(gains[:, :1], gains.shape), rtol=1e-3)
    assert (gains > 0).all()
    assert np.log(gains[-1, 0]).std() > 0.02


def test_excitability_shifts_all_responses_of_a_unit_alike() -> None:
    seed = next(seed for seed in range(40) if (cosines(seed) < 1 - 1e-3).any())
    found = prepared("gain_change", seed).responses["fc3"].astype(float)
    for visit in found[1:]:
        for first, later in zip(found[0].T, visit.T, strict=True):
            assert np.corrcoef(first, later)[0, 1] > 1 - 1e-6
