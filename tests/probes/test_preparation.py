"""Preparations as a probe sees them."""

from __future__ import annotations

import numpy as np

from tests.probes.rat import SIZES, rat
from virtuallab.probes.preparation import (
    Outline,
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


def test_an_outline_has_the_sizes_of_a_subject_and_no_values():
    tissue = rat()
    found = Outline.of(tissue, 9, np.arange(4))
    assert isinstance(found, PreparationLike)
    for layer, size in SIZES.items():
        assert found.responses[layer].shape == (9, 4, size)
        assert found.weights[layer].shape == (9, tissue.weights[layer].shape[1])
        assert found.jacobian(layer, np.array([0])).shape == (9, 4, tissue.inputs[layer])
        assert found.responses[layer].strides == (0, 0, 0), "it takes no memory"
    assert feature_map_shapes(found) == feature_map_shapes(tissue)
    assert stimulus_labels(found).tolist() == [0, 1, 2, 3]
