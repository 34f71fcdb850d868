"""When a probe records."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from virtuallab.probe.schedule import visits_of


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
