"""A probe as it is written: what it is checked for, implanted from and calibrated on."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.probes.rat import N_STIMULI, N_SYNAPSES, N_VISITS, SIZES, rat, stream
from virtuallab.errors import UnknownName
from virtuallab.probes import GaussianNoise, Probe

THERE = {
    "layers": SIZES,
    "synapses": N_SYNAPSES,
    "n_visits": N_VISITS,
    "n_stimuli": N_STIMULI,
}


def test_an_unknown_device_is_one_problem_and_no_error() -> None:
    probe = Probe(device="utah_aray", units=10_000, visits=99)
    [(field, message)] = probe.check(**THERE)
    assert field == "device"
    assert "utah_array" in message
    with pytest.raises(UnknownName, match="utah_aray"):
        _ = probe.resolved


def test_units_are_divided_in_proportion_to_the_size_of_layers_or_evenly() -> None:
    def counts(probe: Probe) -> list[int]:
        units = probe.implant(rat(), stream()).selection.units
        return [units[layer].count for layer in SIZES]

    assert counts(Probe(units=12)) == [6, 4, 2]
    assert counts(Probe(units=12, division="even")) == [4, 4, 4]
    assert counts(Probe(units=18, division="even")) == [7, 7, 4], "the third has four units only"


def test_an_implant_is_determined_by_the_generator() -> None:
    probe = Probe(units=6, synapses=9, stimuli=4)

    def chosen(seed: int) -> list[list[int]]:
        selection = probe.implant(rat(), stream(seed)).selection
        units = [selection.units[layer].index.tolist() for layer in SIZES]
        synapses = [selection.synapses[layer].tolist() for layer in SIZES]
        return [*units, *synapses, selection.stimuli.tolist()]

    assert chosen(1) == chosen(1)
    assert chosen(1) != chosen(2)


def test_a_calibration_uses_all_networks_and_stimuli_whatever_the_probe_records() -> None:
    whole = Probe(noise=GaussianNoise(snr=2.0))
    expected = whole.calibrate(rat(), stream())
    part = replace(whole, visits=(2, 5), stimuli=3)
    assert part.calibrate(rat(), stream()) == expected
    spread = expected.spreads["activity"]["first"].layer
    assert spread == pytest.approx(np.sqrt(rat().responses["first"].var((1, 2)).mean()), rel=1e-5)


def test_pools_are_calibrated_on_all_stimuli() -> None:
    pools = Probe(pool=2, units=8, observables=("activity",))
    few = replace(pools, stimuli=2)
    assert few.calibrate(rat(), stream()) == pools.calibrate(rat(), stream())


def test_a_turnover_does_not_change_the_calibration() -> None:
    lasting = Probe(units_per_layer=2, observables=("activity",))
    changing = replace(lasting, turnover=0.5)
    assert changing.calibrate(rat(), stream()) == lasting.calibrate(rat(), stream())


def test_the_resolved_design_is_made_once_and_is_no_part_of_the_probe() -> None:
    probe, same = Probe(units=3), Probe(units=3)
    assert probe.resolved is probe.resolved
    assert probe == same
    assert hash(probe) == hash(same)
