"""What null models are made of: the preserved states of a subject that learned."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import pytest
import torch
from torch import nn

from tests.subject.trajectories import learner, module_of
from virtuallab.registry import NULL_MODELS
from virtuallab.subject.architecture import Architecture, Shape, Site
from virtuallab.subject.network.initialization import initialized_network
from virtuallab.subject.network.parameter_layout import parameter_layout
from virtuallab.subject.network.population import populate
from virtuallab.subject.null import Trajectory, log_uniform, with_responses

NETS = ("mlp", "knet4")


def test_the_first_and_the_last_visit_are_drawn_a_third_of_the_time_and_any_visit_else() -> None:
    stream = np.random.default_rng(0)
    counts = np.bincount([learner().draw_visit(stream) for _ in range(1200)], minlength=4)
    assert len(counts) == 4
    expected = 1200 * np.array([5, 1, 1, 5]) / 12
    assert (np.abs(counts - expected) < 5 * np.sqrt(expected)).all()


def test_squares_of_a_pace_sum_to_one_and_the_first_visit_does_not_change() -> None:
    stream = np.random.default_rng(0)
    lengths = np.linalg.norm(np.diff(learner().states.astype(float), axis=0), axis=1)
    own, even = lengths / np.linalg.norm(lengths), np.full(3, 3**-0.5)
    assert not np.allclose(own, even, atol=0.05)
    drawn = [learner().draw_pace(stream) for _ in range(40)]
    for pace in drawn:
        assert pace[0] == 0
        assert np.square(pace).sum() == pytest.approx(1)
    for kind in (own, even):
        assert sum(np.allclose(pace[1:], kind) for pace in drawn) in range(8, 33)
    assert all(np.allclose(pace[1:], own) or np.allclose(pace[1:], even) for pace in drawn)


def test_a_subject_that_does_not_change_has_an_even_pace_and_one_visit_has_no_change() -> None:
    own, stream = learner(), np.random.default_rng(0)
    unmoved = replace(own, states=np.repeat(own.states[:1], 4, axis=0))
    for _ in range(8):
        np.testing.assert_allclose(unmoved.draw_pace(stream)[1:], 3**-0.5)
        single = replace(own, states=own.states[:1], steps=(0,))
        np.testing.assert_array_equal(single.draw_pace(stream), [0.0])


@pytest.mark.parametrize("visit", range(4))
def test_a_still_subject_has_the_state_of_one_visit_at_all(visit: int) -> None:
    own = learner("knet4")
    whole, still = own.prepared(own.states), own.still(visit)
    for layer in whole.layers:
        for found, known in (
            (still.responses[layer], whole.responses[layer][visit]),
            (still.weights[layer], whole.weights[layer][visit]),
        ):
            assert found.shape[0] == 4
            np.testing.assert_allclose(found, np.broadcast_to(known, found.shape), atol=1e-5)


def test_other_states_are_prepared_in_the_precision_of_the_subject() -> None:
    found = learner().prepared(learner().states.astype(np.float64)[:2])
    assert {values.dtype for values in found.responses.values()} == {np.dtype(np.float32)}
    assert {len(values) for values in found.responses.values()} == {2}


def test_without_batch_normalisation_normalised_states_are_the_states() -> None:
    np.testing.assert_array_equal(learner().normalised(learner().states), learner().states)


def test_normalised_states_have_the_averages_of_the_training_images() -> None:
    own = learner("knet4")
    given = own.states[[0, 3]]
    found = own.normalised(given)
    images = own.task.train().stimuli[:256]
    averages = [e for e in own.layout.entries if e.name.endswith(("running_mean", "running_var"))]
    assert len(averages) == 6
    inputs: dict[str, torch.Tensor] = {}

    def keep(name: str, _: nn.Module, arguments: tuple[torch.Tensor]) -> None:
        inputs[name] = arguments[0]

    for before, after in zip(given, found, strict=True):
        module = module_of(own, before).train()
        inputs.clear()
        for name, norm in module.named_modules():
            if isinstance(norm, nn.BatchNorm2d):
                norm.register_forward_pre_hook(partial(keep, name))
        with torch.no_grad():
            module(images)
        for entry in averages:
            name, _, kind = entry.name.rpartition(".")
            signal = inputs[name].transpose(0, 1).flatten(1)
            known = signal.mean(1) if kind == "running_mean" else signal.var(1)
            np.testing.assert_allclose(after[entry.start : entry.stop], known, rtol=1e-4, atol=1e-5)
        for place in own.weights:
            np.testing.assert_array_equal(after[place], before[place])


@pytest.mark.parametrize("net", NETS)
def test_weights_are_all_of_a_state_but_running_averages(net: str) -> None:
    own = learner(net)
    places = np.concatenate([np.arange(own.states.shape[1])[place] for place in own.weights])
    count = sum(each.numel() for each in module_of(own, own.states[0]).parameters())
    assert len(places) == len(set(places.tolist())) == count


@pytest.mark.parametrize("net", NETS)
@pytest.mark.parametrize("visit", [0, 3])
def test_the_last_layer_of_its_inputs_gives_the_scores_of_the_network(net: str, visit: int) -> None:
    own = learner(net)
    state = own.states[visit : visit + 1]
    images = own.task.train().stimuli
    with torch.no_grad():
        found = own.last_layer(state)(own.last_inputs(state))
        known = module_of(own, state[0])(images)
    torch.testing.assert_close(found, known, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("net", NETS)
def test_a_last_layer_is_put_where_it_was(net: str) -> None:
    own = learner(net)
    first, changed = own.states[0].copy(), own.states[3].copy()
    own.put_last_layer(changed, own.last_layer(own.states[:1]))
    count = sum(p.numel() for p in own.last_layer(own.states[:1]).parameters())
    [places] = np.nonzero(changed != own.states[3])
    assert len(places) > 0.9 * count
    assert set(places) <= set(range(len(first) - count, len(first)))
    np.testing.assert_array_equal(changed[-count:], first[-count:])


def test_a_last_layer_shares_no_memory_with_the_states() -> None:
    own, before = learner(), learner().states.copy()
    with torch.no_grad():
        own.last_layer(own.states[:1]).weight.zero_()
    np.testing.assert_array_equal(own.states, before)


@dataclass(frozen=True, kw_only=True)
class AllConvolutional(Architecture):
    """A network that ends in a convolution."""

    name = "all_convolutional"

    def build(self, stimulus_shape: Shape, classes: int) -> nn.Module:
        """Two convolutions."""
        return nn.Sequential(nn.Conv2d(1, 3, 3), nn.ReLU(), nn.Conv2d(3, classes, 6), nn.Flatten())

    def sites(self, module: nn.Module) -> dict[str, Site]:
        """Sites of both convolutions."""
        return {"conv1": Site("0", "1"), "conv2": Site("2", "3")}


def test_a_network_that_ends_in_a_convolution_has_no_read_out_to_learn() -> None:
    own = learner()
    other = Trajectory(AllConvolutional(), own.task, own.states, own.steps)
    assert own.has_linear_end
    assert not other.has_linear_end
    assert [name for name in NULL_MODELS if not NULL_MODELS[name]().is_possible(other)] == [
        "readout_only"
    ]
    assert all(NULL_MODELS[name]().is_possible(own) for name in NULL_MODELS)


def test_responses_stay_above_zero_only_in_layers_that_are_rectified() -> None:
    still = learner().still(0)
    found = with_responses(still, lambda first: [first - v for v in range(4)])
    for layer in ("fc1", "fc2"):
        np.testing.assert_array_equal(
            found.responses[layer][2], np.maximum(still.responses[layer][0] - 2, 0)
        )
    np.testing.assert_allclose(found.responses["fc3"][2], still.responses["fc3"][0] - 2, atol=1e-6)
    assert found.responses["fc1"].dtype == np.float32
    assert still.responses["fc3"].min() < 0 <= still.responses["fc1"].min()


def test_log_uniform_draws_are_within_their_bounds_with_the_geometric_mean_in_the_middle() -> None:
    stream = np.random.default_rng(0)
    drawn = np.array([log_uniform(stream, 0.1, 10.0) for _ in range(1000)])
    assert 0.1 <= drawn.min() < 0.11
    assert 9 < drawn.max() <= 10
    assert (drawn < 1).mean() == pytest.approx(0.5, abs=0.06)


@dataclass(frozen=True, kw_only=True)
class _Mixing(Architecture):
    """Networks with batch normalisation that cannot be one population."""

    name = "mixing"

    def build(self, stimulus_shape: Shape, classes: int) -> nn.Module:
        return nn.Sequential(
            nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.GLU(1), nn.Flatten(), nn.Linear(72, classes)
        )


def test_running_averages_of_networks_that_mix_channels_are_those_of_each_visit() -> None:
    task = learner().task
    layout = parameter_layout(_Mixing(), task)
    networks = [initialized_network(_Mixing(), task, seed) for seed in range(3)]
    states = np.concatenate([layout.flatten(populate([n])).numpy() for n in networks])
    own = replace(learner(), architecture=_Mixing(), states=states, steps=(0, 1, 2))
    normalised = own.normalised(states)
    assert not np.array_equal(normalised, states)
    for visit in range(3):
        alone = own.normalised(states[visit : visit + 1])
        np.testing.assert_array_equal(normalised[visit], alone[0])
