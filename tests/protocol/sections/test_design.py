"""Recording designs of which settings take several values."""

from __future__ import annotations

import json

import pytest

from tests.protocol.texts import with_designs as protocol
from virtuallab.errors import ProtocolError
from virtuallab.probes import GaussianNoise, Series
from virtuallab.protocol import design_points, read_text

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
    "too many designs": (
        (
            "units: [10, 20], noise",
            f"units: {list(range(1, 200))}, stimuli: {list(range(1, 200))}, noise",
        ),
        "compare.designs.array: these are 118,803 designs; at most 10,000 are possible.",
    ),
}


def test_every_combination_of_a_grid_is_a_design():
    points = design_points(protocol().compare.designs["array"])
    assert len(points) == 6
    assert [dict(p.settings) for p in points[:2]] == [
        {"units": 10, "noise.snr": 1.0},
        {"units": 10, "noise.snr": 2.0},
    ]
    assert points[-1].probe.noise == GaussianNoise(snr=4.0)
    assert points[-1].probe.units == 20
    assert points[-1].probe.observables == ("activity",)


def test_a_list_is_a_setting_where_it_can_be_one_and_a_grid_says_otherwise():
    visits = [p.probe.visits for p in design_points(protocol().compare.designs["moments"])]
    assert visits == [2, (0, 3), Series(count=2)]


def test_devices_and_whole_sections_can_vary():
    designs = protocol().compare.designs
    assert [(p.probe.device, p.probe.turnover) for p in design_points(designs["devices"])] == [
        ("utah_array", 0.0),
        ("utah_array", 1.0),
        ("tetrode", 0.0),
        ("tetrode", 1.0),
    ]
    kinds = design_points(designs["kinds"])
    assert [(p.probe.noise.snr, p.probe.spikes.trials) for p in kinds] == [
        (None, 1),
        (None, 2),
        (1.0, 1),
        (1.0, 2),
    ]


def test_what_is_resolved_reads_back():
    first = protocol()
    again = read_text(json.dumps(first.resolved()))
    assert again.resolved() == first.resolved()
    assert again.compare.designs == first.compare.designs


@pytest.mark.parametrize("case", FAULTS)
def test_a_fault_is_told_at_its_place(case):
    change, words = FAULTS[case]
    with pytest.raises(ProtocolError) as caught:
        protocol(change)
    assert words in str(caught.value)
    assert "p.yaml:" in str(caught.value)
