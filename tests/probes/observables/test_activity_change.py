"""The layer-wise activity change."""

from __future__ import annotations

import numpy as np

from tests.probes.rat import SIZES, rat, stream
from tests.probes.test_implant import recorded
from virtuallab.probes import GaussianNoise, Probe


def test_the_whole_activity_change_is_the_sum_of_the_jacobian_over_the_units():
    tissue, found = rat(), recorded(Probe())
    for index, layer in enumerate(tissue.layers):
        wanted = tissue.jacobians[layer].sum((2, 3)) / SIZES[layer]
        np.testing.assert_allclose(
            found["activity_change"][..., index], wanted, rtol=1e-5, atol=1e-6
        )


def test_a_sampled_activity_change_is_that_of_the_sampled_units_and_inputs():
    tissue = rat()
    implant = Probe(units_per_layer=3).implant(tissue, stream(1))
    found = implant.record(tissue, stream(2))
    for index, layer in enumerate(tissue.layers):
        units, inputs = implant.selection.units[layer].index, implant.selection.inputs[layer]
        assert len(inputs) == np.ceil(tissue.inputs[layer] * 3 / SIZES[layer])
        wanted = tissue.jacobians[layer][:, :, units][..., inputs].sum((2, 3)) / 3
        np.testing.assert_allclose(
            found["activity_change"][..., index], wanted, rtol=1e-5, atol=1e-6
        )


def test_a_layer_too_small_for_its_share_is_not_measured():
    found = recorded(Probe(units=2, noise=GaussianNoise(sigma=1.0)))
    assert found["n_units"].values.tolist() == [1, 1, 0]
    assert np.isnan(found["activity_change"].sel(layer="third")).all()
