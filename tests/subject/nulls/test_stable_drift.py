"""Units exchange their tuning, and the geometry of the population stays."""

from __future__ import annotations

import numpy as np
import pytest

from tests.subject.trajectories import moved_by, prepared


@pytest.mark.parametrize("net", ["mlp", "knet4"])
def test_similarities_between_stimuli_stay_exactly(net: str) -> None:
    for seed in range(10):
        for values in prepared("stable_drift", seed, net).responses.values():
            gram = np.einsum("vsu,vtu->vst", *2 * [values.astype(float)])
            np.testing.assert_allclose(gram, np.broadcast_to(gram[0], gram.shape), rtol=1e-12)
            ordered = np.sort(values, axis=2)
            np.testing.assert_array_equal(ordered, np.broadcast_to(ordered[:1], values.shape))


def test_units_move() -> None:
    moved = [moved_by(prepared("stable_drift", seed, "knet4"), 3, "conv1") for seed in range(10)]
    assert sum(distance > 0 for distance in moved) >= 8
