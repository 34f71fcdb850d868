"""A frozen network has one preserved state at all visits."""

from __future__ import annotations

import numpy as np

from tests.subject.trajectories import learner, states_of


def test_all_visits_have_one_state_of_the_subject() -> None:
    own, shown = learner().states, set()
    for seed in range(40):
        found = states_of("frozen", seed)
        assert (found == found[0]).all()
        shown |= {visit for visit in range(4) if np.array_equal(found[0], own[visit])}
    assert shown == {0, 1, 2, 3}
