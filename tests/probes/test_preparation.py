"""Preparations as a probe sees them."""

from __future__ import annotations

import numpy as np

from tests.probes.rat import SIZES, rat
from virtuallab.probes.preparation import (
    PreparationLike,
    StaticPreparation,
    feature_map_shapes,
    stimulus_labels,
)


def test_a_static_preparation_repeats_its_first_visit():
    moving = rat()
    still = StaticPreparation(moving, 9)
    assert isinstance(still, PreparationLike)
    for layer in SIZES:
        first = np.repeat(moving.responses[layer][:1], 9, axis=0)
        np.testing.assert_array_equal(still.responses[layer], first)
        assert still.weights[layer].shape == (9, moving.weights[layer].shape[1])
    units = np.array([0, 2])
    jacobian = still.jacobian("second", units)
    assert (jacobian == moving.jacobian("second", units)[:1]).all()
    assert len(jacobian) == 9
    np.testing.assert_array_equal(stimulus_labels(still), moving.labels)


def test_without_maps_units_have_no_places():
    assert feature_map_shapes(rat()) == {layer: (size, 1, 1) for layer, size in SIZES.items()}
