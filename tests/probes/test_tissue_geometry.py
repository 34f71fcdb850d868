"""Where units lie in the tissue."""

from __future__ import annotations

import numpy as np
import pytest

from virtuallab.probes.tissue_geometry import (
    DEPTH,
    SIDE,
    depth_group,
    layer_at,
    neighbourhoods,
    unit_positions,
)


def test_a_feature_map_lies_where_its_receptive_fields_do():
    where = unit_positions((2, 3, 4), 1, 4).reshape(2, 3, 4, 3)
    np.testing.assert_allclose(where[0, 0, :, 0], SIDE * (np.arange(4) + 0.5) / 4)
    np.testing.assert_allclose(where[0, :, 0, 1], SIDE * (np.arange(3) + 0.5) / 3)
    assert (np.ptp(where[..., :2], axis=0) == 0).all(), "channels of a place lie in one column"
    assert (where[1, ..., 2] > where[0, ..., 2]).all()
    assert (layer_at(where[..., 2].ravel(), 4) == 1).all()


def test_a_dense_layer_fills_its_layer_evenly():
    where = unit_positions((500, 1, 1), 3, 4)
    assert (layer_at(where[:, 2], 4) == 3).all()
    counts, _, _ = np.histogram2d(where[:, 0], where[:, 1], bins=4, range=[[0, SIDE]] * 2)
    assert counts.min() > 0.7 * 500 / 16


def test_depths_outside_the_tissue_are_in_no_layer():
    np.testing.assert_array_equal(layer_at(np.array([-1.0, 0.0, DEPTH]), 4), [-1, 0, -1])


def test_neighbourhoods_are_compact_and_do_not_overlap():
    patches = neighbourhoods((4, 8, 8), 16, 0, 3)
    assert patches.shape == (16, 16)
    assert len(np.unique(patches)) == 256
    where = unit_positions((4, 8, 8), 0, 3)[patches][..., :2]
    inside = np.ptp(where, axis=1).max()
    assert inside <= SIDE / 2, "a patch is as wide as the whole map"


@pytest.mark.parametrize(
    ("count", "early", "middle"), [(8, 2, 2), (22, 7, 7), (38, 12, 12), (4, 1, 1), (5, 1, 1)]
)
def test_layers_are_grouped_by_depth_as_published(count, early, middle):
    found = [depth_group(index, count) for index in range(count)]
    assert found == [0] * early + [1] * middle + [2] * (count - early - middle)
