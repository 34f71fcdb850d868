"""Synthetic preparations, in which conformance checks implant probes."""

from __future__ import annotations

import numpy as np
import pytest

from virtuallab.probes import Probe
from virtuallab.probes.preparation import PreparationLike
from virtuallab.testing.planted_preparation import (
    MAPS,
    STIMULI,
    SYNAPSES,
    UNITS,
    VISITS,
    planted_preparation,
    signal_removed,
)


@pytest.mark.parametrize("made", [planted_preparation(), signal_removed()])
def test_it_has_what_a_probe_records(made: PreparationLike) -> None:
    assert isinstance(made, PreparationLike)
    for layer, units in UNITS.items():
        assert units == np.prod(MAPS[layer])
        assert made.responses[layer].shape == (VISITS, STIMULI, units)
        assert made.weights[layer].shape == (VISITS, SYNAPSES)
        assert made.jacobian(layer, np.arange(3)).shape == (VISITS, STIMULI, made.inputs[layer])
    assert Probe().check(UNITS, dict.fromkeys(MAPS, SYNAPSES), VISITS, STIMULI) == []


def test_responses_are_rectified_and_their_scale_doubles() -> None:
    made = planted_preparation()
    for layer in MAPS:
        responses = made.responses[layer]
        assert responses.min() == 0
        assert 0.4 < (responses == 0).mean() < 0.6
        # Each of the three steps adds 0.09 to the variance before it is scaled by two.
        scale = made.weights[layer].std(1)
        assert scale[-1] / scale[0] == pytest.approx(2 * np.sqrt(1.27), rel=0.05)


def test_derivatives_of_units_are_summed() -> None:
    made = planted_preparation()
    one, three = (made.jacobian("conv1", np.arange(count)) for count in (1, 3))
    np.testing.assert_array_equal(three, 3 * one)


def test_without_signal_every_visit_repeats_the_first() -> None:
    made, moving = signal_removed(1), planted_preparation(1)
    for layer in MAPS:
        first = moving.responses[layer][0]
        assert all(np.array_equal(visit, first) for visit in made.responses[layer])
        assert not np.array_equal(moving.responses[layer][1], first)
        assert np.ptp(made.jacobian(layer, np.arange(2)), axis=0).max() == 0


def test_the_seed_determines_the_preparation() -> None:
    first, again, other = (planted_preparation(seed).responses["fc3"] for seed in (3, 3, 4))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
