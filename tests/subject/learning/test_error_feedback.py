"""Rules whose error returns layer by layer: what a rule defines, and what it leaves alone."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from tests.subject.cohorts import (
    assert_steps,
    batch,
    conv,
    gradient,
    mlp,
    network_and_modules,
    part_of_subject,
)
from virtuallab.subject.learning.error_feedback import ErrorFeedback
from virtuallab.subject.learning.layer_view import LayerView
from virtuallab.subject.network.layer import PopulationLayer
from virtuallab.subject.network.network import Network


class Plain(ErrorFeedback):
    """Uses the backward weights of the network, which do not change."""


class Halved(ErrorFeedback):
    def forward_step(self, layer: LayerView) -> torch.Tensor:
        assert layer.pseudogradient is not None
        return layer.pseudogradient / 2


@dataclass(frozen=True, kw_only=True)
class Decaying(ErrorFeedback):
    feedback = True

    def backward_step(self, layer: LayerView) -> torch.Tensor | None:
        return 2 * layer.backward_weight


class Symmetric(ErrorFeedback):
    def feedback_weight(self, layer: PopulationLayer, network: Network, name: str) -> torch.Tensor:
        return layer.weight.detach().clone()


def assert_follows_the_gradient(
    rule: ErrorFeedback, network: Network, modules: list[torch.nn.Module]
) -> None:
    stimuli, labels = batch()
    updates = rule.compute_updates(network, stimuli, labels, 0)
    assert updates.forward is not None
    for number, module in enumerate(modules):
        exact = gradient(module, *part_of_subject(stimuli, labels, number))
        assert_steps(updates.forward, number, exact)


def test_the_error_returns_through_backward_weights_to_all_but_the_last_layer() -> None:
    network, modules = network_and_modules(mlp)
    stimuli, labels = batch()
    updates = Plain().compute_updates(network, stimuli, labels, 0)
    assert updates.forward is not None
    assert updates.backward is None
    for number, module in enumerate(modules):
        exact = gradient(module, *part_of_subject(stimuli, labels, number))
        assert_steps(updates.forward[-2:], number, exact[-2:])
        hidden = updates.forward[0][number]
        assert torch.nn.functional.cosine_similarity(hidden.ravel(), exact[0].ravel(), 0) < 0.9


def test_without_backward_weights_the_steps_are_the_gradient() -> None:
    network, modules = network_and_modules(conv)
    for layer in network.layers.values():
        layer.backward_weight = None
    assert_follows_the_gradient(Plain(), network, modules)


def test_backward_weights_that_are_a_function_of_forward_weights_are_set_before_the_pass() -> None:
    network, modules = network_and_modules(mlp)
    assert_follows_the_gradient(Symmetric(), network, modules)


def test_a_forward_step_replaces_that_of_weights_and_not_of_biases() -> None:
    network, _ = network_and_modules(conv)
    stimuli, labels = batch()
    plain, halved = (
        rule.compute_updates(network, stimuli, labels, 0).forward for rule in (Plain(), Halved())
    )
    assert plain is not None
    assert halved is not None
    weights = {network.index_of(layer.weight) for layer in network.layers.values()}
    for place, (one, other) in enumerate(zip(plain, halved, strict=True)):
        torch.testing.assert_close(other, one / 2 if place in weights else one)


def test_a_backward_step_is_returned_for_each_layer_from_input_to_output() -> None:
    network, _ = network_and_modules(conv)
    rule = Decaying()
    updates = rule.compute_updates(network, *batch(), 0)
    assert updates.backward is not None
    assert rule.learns_feedback
    assert not Plain().learns_feedback
    for layer, step in zip(network.layers.values(), updates.backward, strict=True):
        assert layer.backward_weight is not None
        torch.testing.assert_close(step, 2 * layer.backward_weight)


def test_signals_are_recorded_only_where_a_step_needs_them() -> None:
    network, _ = network_and_modules(mlp)
    stimuli, labels = batch()
    assert Plain().return_error(network, stimuli, labels, record=False).views == []
    views = Plain().return_error(network, stimuli, labels, record=True).views
    assert len(views) == len(network.layers)
