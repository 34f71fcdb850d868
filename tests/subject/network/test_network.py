"""The network of a cohort, on which rules compute updates."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from tests.subject.cohorts import batch, conv, mlp, network_and_modules, normalised, part_of_subject
from virtuallab.subject.network.network import Network
from virtuallab.subject.network.pathways import DetachedInput
from virtuallab.subject.network.population import populate
from virtuallab.subject.network.random_streams import RandomStreams


def test_scores_and_losses_are_those_of_each_subjects_network() -> None:
    network, modules = network_and_modules(conv)
    stimuli, labels = batch()
    scores = network.scores(stimuli)
    losses = network.losses(scores, labels)
    assert network.subjects == 2
    for number, module in enumerate(modules):
        images, own = part_of_subject(stimuli, labels, number)
        torch.testing.assert_close(scores[:, number], module(images))
        expected = F.cross_entropy(module(images), own, reduction="none")
        torch.testing.assert_close(losses[:, number], expected)


def test_the_readout_is_the_last_layer_and_the_others_are_hidden() -> None:
    network, _ = network_and_modules(mlp)
    assert [*network.hidden.values(), network.readout] == list(network.layers.values())
    assert network.index_of(network.readout.weight) == len(network.parameters) - 2


def test_a_parameter_that_an_objective_does_not_depend_on_has_a_gradient_of_zero() -> None:
    network, _ = network_and_modules(mlp)
    weight = network.readout.weight
    gradients = network.gradients(weight.square())
    place = network.index_of(weight)
    torch.testing.assert_close(gradients[place], 2 * weight.detach())
    assert not any(each.any() for n, each in enumerate(gradients) if n != place)
    assert [each.shape for each in network.zero_updates()] == [p.shape for p in network.parameters]


def test_noise_of_a_subject_is_from_its_own_stream() -> None:
    (module,) = network_and_modules(conv, 1)[1]
    twins = Network(populate([module] * 2), RandomStreams([1, 2]), 10)
    swapped = Network(populate([module] * 2), RandomStreams([2, 1]), 10)
    signal = torch.zeros(6, 2 * 3, 6, 6, dtype=torch.float64)  # three channels of two subjects
    noise, other = twins.noise_like(signal), swapped.noise_like(signal)
    assert noise.shape == signal.shape
    assert torch.equal(noise[:, :3], other[:, 3:])
    assert not torch.equal(noise[:, :3], noise[:, 3:])


def test_a_pathway_is_removed_after_the_block() -> None:
    network, _ = network_and_modules(mlp)
    pathway = DetachedInput()
    with network.using(pathway):
        assert network.readout.pathway is pathway
        with pytest.raises(RuntimeError):  # stimuli of another size
            network.scores(torch.zeros(6, 4, 5, 5, dtype=torch.float64))
    assert all(layer.pathway is None for layer in network.layers.values())


def test_running_averages_do_not_change_where_they_are_frozen() -> None:
    network, _ = network_and_modules(normalised)
    before = [each.clone() for each in network.population.buffers()]

    def changed() -> bool:
        network.scores(batch()[0])
        pairs = zip(before, network.population.buffers(), strict=True)
        return any(not torch.equal(old, new) for old, new in pairs)

    with network.frozen_running_averages():
        assert not changed()
    assert changed()


def test_what_happens_in_a_block_that_restores_the_state_leaves_no_trace() -> None:
    network, _ = network_and_modules(normalised)
    trace = network.remember("trace", network.readout.weight)
    assert not trace.any()
    buffers = [each.clone() for each in network.population.buffers()]
    backward = network.readout.backward_weight
    signal = torch.zeros(6, 10, dtype=torch.float64)
    with network.state_restored():
        network.scores(batch()[0])
        network.remember("trace", trace).add_(1)
        network.remember("other", trace)
        network.readout.backward_weight = None
        drawn = network.noise_like(signal.view(2, 1, 30))
    assert list(network.memory) == ["trace"]
    assert not network.memory["trace"].any()
    assert network.readout.backward_weight is backward
    for old, new in zip(buffers, network.population.buffers(), strict=True):
        assert torch.equal(old, new)
    untouched, _ = network_and_modules(normalised)
    again = network.noise_like(signal.view(2, 1, 30))
    assert torch.equal(again, untouched.noise_like(signal.view(2, 1, 30)))
    assert not torch.equal(again, drawn)
