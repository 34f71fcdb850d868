"""When a probe records."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from virtuallab.probes.schedule import Series, visit_indices
from virtuallab.probes.validation import visit_problems


@settings(max_examples=100, deadline=None)
@given(st.integers(2, 200), st.floats(0, 1))
def test_spread_visits_are_different_and_reach_from_first_to_last(n_visits, part):
    count = 2 + round(part * (n_visits - 2))
    found = visit_indices(count, n_visits)
    assert len(found) == count
    assert (found[0], found[-1]) == (0, n_visits - 1)
    gaps = np.diff(found)
    assert gaps.min() >= 1
    assert gaps.max() - gaps.min() <= 1


def test_a_single_visit_is_the_last():
    assert visit_indices(1, 21).tolist() == [20]


@pytest.mark.parametrize(("asked", "wanted"), [("all", [0, 1, 2, 3]), ((1, 3), [1, 3])])
def test_all_visits_and_listed_ones_are_taken_as_they_are(asked, wanted):
    assert visit_indices(asked, 4).tolist() == wanted


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
    assert visit_indices(series, 10).tolist() == wanted
    assert not list(visit_problems(series, 10))


def test_the_ends_of_a_series_are_known_without_its_visits() -> None:
    for series in (Series(count=4, first=-7, every=2), Series(count=1), Series(count=3, every=5)):
        found = visit_indices(series, 21)
        assert (series.start(21), series.end(21)) == (found[0], found[-1])
    assert Series(count=10**9, every=10**9).end(21) == 10**9 * (10**9 - 1)
