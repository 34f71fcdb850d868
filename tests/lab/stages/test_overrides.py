"""Which overrides a command that uses one section takes."""

from __future__ import annotations

import pytest

from virtuallab.errors import ProtocolError
from virtuallab.lab.stages.overrides import check_sections


@pytest.mark.parametrize(
    "overrides",
    [
        (),
        "probes.some.units=3",
        ["probes={}", " probes.some={units: 3} "],
        ["seed"],  # no setting at all: the reader of protocols says so
        ["..=3"],
    ],
)
def test_overrides_of_a_section_that_is_used_are_taken(overrides: str | list[str]) -> None:
    check_sections(overrides, {"probes"}, "only probes are used")


def test_every_other_override_is_named_with_the_reason() -> None:
    with pytest.raises(ProtocolError) as refused:
        check_sections(
            ["seed=3", "probes.a.units=3", "prob.a.units=3", "subjects.rules[0].amp=1"],
            {"probes"},
            "only probes are used",
        )
    assert sorted(map(str, refused.value.faults)) == [
        "-s prob.a.units=3: prob.a.units: no such key. Did you mean 'probes'? Known: probes.",
        "-s seed=3: seed: has no effect: only probes are used. Leave it out.",
        "-s subjects.rules[0].amp=1: subjects.rules[0].amp: has no effect: only probes are used. "
        "Leave it out.",
    ]
