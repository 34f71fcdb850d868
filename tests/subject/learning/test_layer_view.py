"""Signals and weights of one layer in one training step."""

from __future__ import annotations

import pytest
import torch

from tests.subject.cohorts import batch, conv, network_and_modules
from virtuallab.subject.learning.layer_view import LayerView
from virtuallab.subject.network.network import Network
from virtuallab.subject.network.pathways import FeedbackPathway


def views(network: Network) -> list[LayerView]:
    pathway = FeedbackPathway(record=True)
    with network.using(pathway):
        network.scores(batch()[0]).square().sum().backward()
    layers = network.layers.values()
    return [LayerView.from_trace(layer, pathway.traces[layer]) for layer in layers]


def test_signals_are_those_of_the_layer_without_the_graph_of_torch() -> None:
    network, _ = network_and_modules(conv)
    for view, layer in zip(views(network), network.layers.values(), strict=True):
        signals = (view.pre, view.post, view.weight)
        assert not any(each.requires_grad for each in signals)
        torch.testing.assert_close(
            view.post, view.synapse.project(view.pre, view.weight, view.bias)
        )
        torch.testing.assert_close(view.projection, view.synapse.project(view.pre, view.weight))
        assert view.backward_weight is layer.backward_weight
        assert view.error is not None
        assert view.error.shape == view.post.shape


def test_a_layer_without_a_backward_weight_has_its_forward_weight_in_both_places() -> None:
    network, _ = network_and_modules(conv)
    for layer in network.layers.values():
        layer.backward_weight = None
    assert all(view.backward_weight is view.weight for view in views(network))


def test_samples_and_positions_are_counted() -> None:
    network, _ = network_and_modules(conv)
    found = views(network)
    assert [view.samples for view in found] == [6, 6, 6]
    assert [view.positions for view in found] == [36, 4, 1]


@pytest.mark.parametrize("values", [0.5, torch.tensor([2.0, 3.0], dtype=torch.float64)])
def test_add_is_a_step_plus_a_scaled_weight_of_each_subject(values: float | torch.Tensor) -> None:
    network, _ = network_and_modules(conv)
    view = views(network)[0]
    factors = torch.as_tensor(values).expand(2)
    scaled = torch.stack([f * w for f, w in zip(factors, view.weight, strict=True)])
    torch.testing.assert_close(view.add(None, values, view.weight), scaled)
    step = torch.ones_like(view.weight)
    torch.testing.assert_close(view.add(step, values, view.weight), 1 + scaled)
