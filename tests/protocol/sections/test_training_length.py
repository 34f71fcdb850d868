"""Length of training and steps of the visits."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.protocol.texts import SMALL, protocol
from virtuallab.protocol import Protocol, expand, read_text


def visits_of(made: Protocol) -> tuple[int, ...]:
    return made.subjects.visit_steps


def test_epochs_are_whole_batches() -> None:
    made = protocol(("steps: 100", "epochs: 3"))
    assert made.subjects.length == 3 * (1200 // 32)
    assert {s.steps for s in expand(made)} == {111}


def test_visits_are_evenly_spread_from_the_start_to_the_end() -> None:
    assert visits_of(protocol()) == (0, 25, 50, 75, 100)
    assert visits_of(protocol(("visits: 5", "visits: 2"))) == (0, 100)
    assert visits_of(protocol(("visits: 5", "visits: 101"))) == tuple(range(101))
    assert visits_of(protocol(("visits: 5", "visits: [0, 1, 10]"))) == (0, 1, 10)


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 2000), st.integers(2, 100))
def test_no_visit_is_made_twice(length: int, visits: int) -> None:
    if visits <= length + 1:
        made = visits_of(
            read_text(SMALL, overrides=(f"subjects.steps={length}", f"subjects.visits={visits}"))
        )
        assert made[0] == 0
        assert made[-1] == length
        assert len(set(made)) == visits
