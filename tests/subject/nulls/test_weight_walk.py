"""Weights walk as far as those of the subject, in directions that are drawn."""

from __future__ import annotations

import numpy as np
import pytest

from tests.subject.trajectories import learner, states_of


def lengths(states: np.ndarray, net: str) -> np.ndarray:
    """Length of each step of each tensor."""
    steps = np.diff(states.astype(float), axis=0)
    return np.array([np.linalg.norm(steps[:, place], axis=1) for place in learner(net).weights])


@pytest.mark.parametrize("net", ["mlp", "knet4"])
def test_steps_are_those_of_the_subject_times_one_factor(net: str) -> None:
    own, factors = lengths(learner(net).states, net), []
    for seed in range(20):
        found = lengths(states_of("weight_walk", seed, net), net)
        factors.append(found[0, 0] / own[0, 0])
        np.testing.assert_allclose(found, factors[-1] * own, rtol=1e-3, atol=1e-6)
    assert 0.5 <= min(factors) < 0.7
    assert 1.4 < max(factors) <= 2.001


def test_the_walk_starts_at_the_first_or_the_last_state() -> None:
    own = learner().states
    first = [states_of("weight_walk", seed)[0] for seed in range(20)]
    from_first = [np.array_equal(state, own[0]) for state in first]
    from_last = [np.array_equal(state, own[-1]) for state in first]
    assert all(a != b for a, b in zip(from_first, from_last, strict=True))
    assert 3 <= sum(from_first) <= 17


def test_directions_are_drawn_anew() -> None:
    place = learner().weights[0]
    for seed in range(10):
        steps = np.diff(states_of("weight_walk", seed)[:, place].astype(float), axis=0)
        unit = steps / np.linalg.norm(steps, axis=1, keepdims=True)
        assert np.abs((unit @ unit.T)[np.triu_indices(3, 1)]).max() < 5 / np.sqrt(steps.shape[1])


def test_running_averages_follow_the_network_after_the_first_visit() -> None:
    own = learner("knet4")
    found = states_of("weight_walk", 0, "knet4")
    np.testing.assert_array_equal(found[1:], own.normalised(found)[1:])
    assert any(np.array_equal(found[0], own.states[visit]) for visit in (0, 3))
    averages = [e for e in own.layout.entries if "running" in e.name]
    assert all((found[1, e.start : e.stop] != found[0, e.start : e.stop]).any() for e in averages)
