"""Designs of which settings take several values, or are open."""

from __future__ import annotations

import json

import pytest

from tests.protocol.texts import SMALL
from virtuallab.errors import ProtocolError
from virtuallab.probe import Noise, Series
from virtuallab.protocol import Protocol, read_text
from virtuallab.protocol.settings.distributions import LogUniform, Uniform

DESIGNS = """\
compare:
  designs:
    array: {units: [10, 20], noise: {snr: [1.0, 2.0, 4]}, observables: [activity]}
    moments: {units: 10, visits: {grid: [2, [0, 3], {count: 2}]}}
    devices: {device: [utah_array, tetrode], turnover: [0.0, 1]}
    kinds: {noise: {grid: [{}, {snr: 1.0}]}, spikes: {trials: [1, 2]}}
  seeds: 2
"""
OPEN = """\
power:
  design:
    units: {log_uniform: [10, 100]}
    visits: {uniform: [2, 5]}
    noise: {snr: {log_uniform: [0.1, 2.0]}}
    observables: [activity]
  prices: {unit: 2}
"""


def protocol(*changes: tuple[str, str]) -> Protocol:
    text = SMALL + DESIGNS + OPEN
    for old, new in changes:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return read_text(text, name="p.yaml")


def test_every_combination_of_a_grid_is_a_design():
    points = protocol().compare.designs["array"].points()
    assert len(points) == 6
    assert [dict(p.settings) for p in points[:2]] == [
        {"units": 10, "noise.snr": 1.0},
        {"units": 10, "noise.snr": 2.0},
    ]
    assert points[-1].probe.noise == Noise(snr=4.0)
    assert points[-1].probe.units == 20
    assert points[-1].probe.observables == ("activity",)


def test_a_list_is_a_setting_where_it_can_be_one_and_a_grid_says_otherwise():
    visits = [p.probe.visits for p in protocol().compare.designs["moments"].points()]
    assert visits == [2, (0, 3), Series(count=2)]


def test_devices_and_whole_sections_can_vary():
    designs = protocol().compare.designs
    assert [(p.probe.device, p.probe.turnover) for p in designs["devices"].points()] == [
        ("utah_array", 0.0),
        ("utah_array", 1.0),
        ("tetrode", 0.0),
        ("tetrode", 1.0),
    ]
    kinds = designs["kinds"].points()
    assert [(p.probe.noise.snr, p.probe.spikes.trials) for p in kinds] == [
        (None, 1),
        (None, 2),
        (1.0, 1),
        (1.0, 2),
    ]


def test_what_is_open_lies_between_bounds():
    power = protocol().power
    assert power.design.space == {
        "units": LogUniform(10, 100),
        "visits": Uniform(2, 5),
        "noise.snr": LogUniform(0.1, 2.0),
    }
    made = power.design.made({"units": 12, "visits": 3, "noise.snr": 0.5})
    assert (made.units, made.visits, made.noise) == (12, 3, Noise(snr=0.5))
    assert (power.prices.unit, power.prices.visit) == (2.0, 0.0)


def test_what_is_resolved_reads_back():
    first = protocol()
    again = read_text(json.dumps(first.resolved()))
    assert again.resolved() == first.resolved()
    assert again.compare.designs["array"].points() == first.compare.designs["array"].points()


FAULTS = {
    "a value of a grid": (
        ("units: [10, 20]", "units: [10, -20]"),
        "compare.designs.array.units[1]: should be at least 1, found -20.",
    ),
    "a value within a section": (
        ("[1.0, 2.0, 4]", "[1.0, 0]"),
        "compare.designs.array.noise.snr[1]: should be greater than 0, found 0.",
    ),
    "an unknown key within a section": (
        ("snr: [1.0, 2.0, 4]", "snx: 1"),
        "compare.designs.array.noise.snx: unknown key. Did you mean 'snr'?",
    ),
    "open where all are tried": (
        ("units: [10, 20]", "units: {uniform: [10, 20]}"),
        "compare.designs.array.units: is open, and every design that is compared is tried.",
    ),
    "a list where bounds are sought": (
        ("units: {log_uniform: [10, 100]}", "units: [1, 2]"),
        "power.design.units: is a list; what is searched lies between bounds",
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
    "too many designs": (
        (
            "units: [10, 20], noise",
            f"units: {list(range(1, 200))}, stimuli: {list(range(1, 200))}, noise",
        ),
        "compare.designs.array: these are 118,803 designs; at most 10,000 are possible.",
    ),
}


@pytest.mark.parametrize("case", FAULTS)
def test_a_fault_of_a_design_is_told_at_its_place(case):
    change, words = FAULTS[case]
    with pytest.raises(ProtocolError) as caught:
        protocol(change)
    assert words in str(caught.value)
    assert "p.yaml:" in str(caught.value)


def test_a_search_needs_something_open():
    text = SMALL + "power: {design: {units: 10}}\n"
    with pytest.raises(ProtocolError, match=r"power\.design: nothing is open"):
        read_text(text)
