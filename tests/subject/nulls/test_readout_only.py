"""Only the last layer learns."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tests.subject.trajectories import learner, states_of

SEEDS = range(12)


def parts(net: str, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """States of the last layer, and of the layers before it."""
    own, found = learner(net), states_of("readout_only", seed, net)
    last = sum(each.numel() for each in own.last_layer(own.states[:1]).parameters())
    return found[:, -last:], found[:, :-last]


def test_hidden_layers_keep_the_untrained_state_or_the_trained_one_in_a_quarter() -> None:
    own, trained = learner().states, 0
    for seed in SEEDS:
        last, hidden = parts("mlp", seed)
        assert (hidden == hidden[0]).all()
        visit = -1 if np.array_equal(hidden[0], own[-1, : hidden.shape[1]]) else 0
        np.testing.assert_array_equal(hidden[0], own[visit, : hidden.shape[1]])
        np.testing.assert_array_equal(last[0], own[0, hidden.shape[1] :])
        trained += visit == -1
    assert 1 <= trained <= 9


def test_hidden_weights_stay_where_running_averages_follow_the_images() -> None:
    own, follows = learner("knet4"), []
    for seed in SEEDS:
        found = states_of("readout_only", seed, "knet4")
        for place in own.weights[:-2]:
            assert (found[:, place] == found[0, place]).all()
        _, hidden = parts("knet4", seed)
        assert (hidden[2:] == hidden[1]).all()
        follows.append(bool((hidden[1] != hidden[0]).any()))
    assert 1 <= sum(follows) <= 10, "three of eight on average"


@pytest.mark.parametrize("net", ["mlp", "knet4"])
def test_the_loss_of_the_read_out_falls(net: str) -> None:
    own = learner(net)
    labels = own.task.train().labels
    for seed in range(8):
        found = states_of("readout_only", seed, net)
        inputs = own.last_inputs(found[-1:])
        with torch.no_grad():
            first, last = (
                float(torch.nn.functional.cross_entropy(own.last_layer(state)(inputs), labels))
                for state in (found[:1], found[-1:])
            )
        assert last < first
