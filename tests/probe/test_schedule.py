"""When a probe records."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from virtuallab.probe.schedule import Series, impossible_visits, visits_of


@settings(max_examples=100, deadline=None)
@given(st.integers(2, 200), st.floats(0, 1))
def test_spread_visits_are_different_and_reach_from_first_to_last(n_visits, part):
    count = 2 + round(part * (n_visits - 2))
    found = visits_of(count, n_visits)
    assert len(found) == count
    assert (found[0], found[-1]) == (0, n_visits - 1)
    gaps = np.diff(found)
    assert gaps.min() >= 1
    assert gaps.max() - gaps.min() <= 1


def test_a_single_visit_is_the_last():
    assert visits_of(1, 21).tolist() == [20]


@pytest.mark.parametrize(("asked", "wanted"), [("all", [0, 1, 2, 3]), ((1, 3), [1, 3])])
def test_all_visits_and_listed_ones_are_taken_as_they_are(asked, wanted):
    assert visits_of(asked, 4).tolist() == wanted


@pytest.mark.parametrize(
    ("series", "wanted"),
    [
        (Series(count=3), [0, 1, 2]),
        (Series(count=3, first=-3), [7, 8, 9]),
        (Series(count=4, every=3), [0, 3, 6, 9]),
        (Series(count=2, first=5, every=2), [5, 7]),
        (Series(count=1, first=-10), [0]),
    ],
)
def test_a_series_begins_and_goes_on_as_it_says(series, wanted):
    assert visits_of(series, 10).tolist() == wanted
    assert not list(impossible_visits(series, 10))


@pytest.mark.parametrize(
    ("series", "place", "words"),
    [
        (Series(count=11), "visits", "would be 10; the last that is preserved is 9"),
        (Series(count=5, first=-2), "visits", "would be 12"),
        (Series(count=3, every=5), "visits", "would be 10"),
        (Series(count=1, first=10), "visits.first", "there is no visit 10"),
        (Series(count=1, first=-11), "visits.first", "there is no visit -11"),
        (Series(count=2, every=0), "visits.every", "at least 1"),
    ],
)
def test_a_series_that_training_does_not_hold_is_said(series, place, words):
    [(found, message)] = impossible_visits(series, 10)
    assert found == place
    assert words in message
