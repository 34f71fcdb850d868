"""The section that says what is to be reached, and at which price."""

from __future__ import annotations

import pytest

from tests.protocol.texts import SMALL
from tests.protocol.texts import with_designs as protocol
from virtuallab.errors import ProtocolError
from virtuallab.probes import GaussianNoise
from virtuallab.protocol import read_text
from virtuallab.protocol.settings.distributions import LogUniform, Uniform

FAULTS = {
    "a list where bounds are sought": (
        ("units: {log_uniform: [10, 100]}", "units: [1, 2]"),
        "power.design.units: is a list; a searched setting has bounds",
    ),
    "a choice where bounds are sought": (
        ("units: {log_uniform: [10, 100]}", "units: {choice: [1, 2]}"),
        "power.design.units: should be open between bounds",
    ),
    "what cannot be searched": (
        ("visits: {uniform: [2, 5]}", "keep: {choice: [recording, statistics]}"),
        "power.design.keep: cannot be open. Known: units,",
    ),
    "an unknown classifier": (
        ("  prices: {unit: 2}", "  classifier: forest"),
        "power.classifier: no classifier is called 'forest'",
    ),
    "a negative price": (
        ("unit: 2", "unit: -2"),
        "power.prices.unit: should be at least 0, found -2.",
    ),
}


def test_what_is_open_lies_between_bounds():
    power = protocol().power
    assert power.design.settings.space == {
        "units": LogUniform(10, 100),
        "visits": Uniform(2, 5),
        "noise.snr": LogUniform(0.1, 2.0),
    }
    made = power.design.build({"units": 12, "visits": 3, "noise.snr": 0.5})
    assert (made.units, made.visits, made.noise) == (12, 3, GaussianNoise(snr=0.5))
    assert (power.prices.unit, power.prices.visit) == (2.0, 0.0)


@pytest.mark.parametrize("case", FAULTS)
def test_a_fault_is_told_at_its_place(case):
    change, words = FAULTS[case]
    with pytest.raises(ProtocolError) as caught:
        protocol(change)
    assert words in str(caught.value)
    assert "p.yaml:" in str(caught.value)


def test_a_search_needs_something_open():
    text = SMALL + "power: {design: {units: 10}}\n"
    with pytest.raises(ProtocolError, match=r"power\.design: nothing is open"):
        read_text(text)
