"""Where units lie in the tissue."""

from __future__ import annotations

import numpy as np
import pytest

from virtuallab.probes.tissue_geometry import (
    DEPTH,
    NEAREST,
    SIDE,
    SPACING,
    TissueLayer,
    depth_group,
    layer_at,
    neighbourhoods,
    neurons_within,
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


@pytest.mark.parametrize("layers", [1, 3, 4, 22, 90])
def test_neurons_have_the_density_of_a_cortex_and_none_is_far_from_a_point(layers):
    tissue = TissueLayer((6, 8, 8), layers // 2, layers, 5)
    volume = SIDE * SIDE * (DEPTH / layers) / 1e9  # mm^3
    density = tissue.grid.prod() / volume
    assert 91_000 < density < 91_125 * 1.5
    corners = np.array([[x, y, z] for x in (0, 700, SIDE) for y in (0, SIDE) for z in (0, 1)])
    points = corners * [1, 1, tissue.bottom - tissue.top] + [0, 0, tissue.top]
    middle = np.random.default_rng(1).uniform(
        [0, 0, tissue.top], [SIDE, SIDE, tissue.bottom], (200, 3)
    )
    for some in (points, middle):
        _, within = tissue.around(some, NEAREST)
        assert within.any(axis=1).all()


def test_neurons_around_a_point_are_all_those_within_the_radius():
    tissue = TissueLayer((6, 8, 8), 1, 4, 5)
    points = np.array([[1234.0, 777.0, 1500.0], [3.0, 2000.0, 1990.0]])
    neurons, within = tissue.around(points, 60.0)
    every = tissue.positions(np.arange(tissue.grid.prod()))
    for point, near, chosen in zip(points, neurons, within, strict=True):
        expected = np.flatnonzero(np.linalg.norm(every - point, axis=1) <= 60)
        assert sorted(near[chosen]) == expected.tolist()
    assert within[0].sum() == pytest.approx(neurons_within(60.0), rel=0.1)


def test_a_neuron_responds_as_a_unit_whose_receptive_field_is_at_its_place():
    shape = (6, 8, 4)
    tissue = TissueLayer(shape, 1, 4, 5)
    neurons = np.random.default_rng(0).integers(tissue.grid.prod(), size=6000)
    units, where = tissue.units(neurons), tissue.positions(neurons)
    centres = unit_positions(shape, 1, 4)[units]
    assert np.abs(centres[:, 0] - where[:, 0]).max() <= SIDE / 4 / 2
    assert np.abs(centres[:, 1] - where[:, 1]).max() <= SIDE / 8 / 2
    channels = np.bincount(units // 32, minlength=6)
    assert np.abs(channels - 1000).max() < 5 * np.sqrt(1000), "channels are equally frequent"
    next_to = tissue.units(neurons[neurons + 1 < tissue.grid.prod()] + 1)
    same = (next_to // 32 == units[neurons + 1 < tissue.grid.prod()] // 32).mean()
    assert same == pytest.approx(1 / 6, abs=0.03), "and intermixed"
    other = TissueLayer(shape, 1, 4, 6).units(neurons)
    assert (other != units).mean() > 0.7, "another key is another tissue"


def test_units_of_a_dense_layer_are_intermixed_everywhere():
    tissue = TissueLayer((10, 1, 1), 3, 4, 5)
    near, within = tissue.around(np.array([[2000.0, 2000.0, 3500.0]]), 80.0)
    assert set(tissue.units(near[within])) == set(range(10))
    assert pytest.approx(22.2, abs=0.05) == SPACING
