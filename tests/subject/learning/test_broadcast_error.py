"""Broadcast signals, compared with explicit networks that have the same random weights."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from tests.subject.cohorts import (
    CLASSES,
    assert_steps,
    batch,
    conv,
    mlp,
    network_and_modules,
    part_of_subject,
    repeated_subject,
    rule_of,
)
from virtuallab.registry import RULES
from virtuallab.subject.network.network import Network

NAMES = ["direct_feedback_alignment", "direct_random_target_projection"]
GAINS = (1.0, 0.3)


def weight_to(network: Network, layer: int, subject: int) -> Tensor:
    """Broadcast weights ``(class, unit)`` to the input of a layer."""
    place = network.index_of(list(network.layers.values())[layer].weight)
    return network.memory[f"broadcast to layer {place}"][subject]


def signals(name: str, scores: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Error of the read-out, and signal that is broadcast."""
    target = torch.eye(CLASSES, dtype=torch.float64)[labels]
    error = (scores.softmax(1) - target) / len(labels)
    return error, error if name == "direct_feedback_alignment" else -target / len(labels)


@pytest.mark.parametrize("name", NAMES)
def test_updates_of_a_perceptron_equal_an_explicit_calculation(name: str) -> None:
    network, modules = network_and_modules(mlp)
    stimuli, labels = batch()
    updates = rule_of(name, *({"gain": gain} for gain in GAINS)).compute_updates(
        network, stimuli, labels, 0
    )
    assert updates.backward is None
    for number, module in enumerate(modules):
        images, classes = part_of_subject(stimuli, labels, number)
        x = images.flatten(1)
        z1 = x @ module[1].weight.T + module[1].bias
        h1 = z1.clamp(min=0)
        z2 = h1 @ module[3].weight.T + module[3].bias
        h2 = z2.clamp(min=0)
        scores = h2 @ module[5].weight.T + module[5].bias
        error, signal = signals(name, scores, classes)
        delta1 = GAINS[number] * signal @ weight_to(network, 1, number) * (z1 > 0)
        delta2 = GAINS[number] * signal @ weight_to(network, 2, number) * (z2 > 0)
        expected = []
        for delta, x_in in ((delta1, x), (delta2, h1), (error, h2)):
            expected += [delta.T @ x_in, delta.sum(0)]
        assert_steps(updates.forward, number, expected)
        loss = -scores.log_softmax(1)[torch.arange(len(x)), classes].mean()
        torch.testing.assert_close(updates.losses[number], loss.detach())


@pytest.mark.parametrize("name", NAMES)
def test_updates_of_a_convolutional_network_equal_an_explicit_calculation(name: str) -> None:
    network, modules = network_and_modules(conv)
    stimuli, labels = batch()
    updates = rule_of(name, *({"gain": gain} for gain in GAINS)).compute_updates(
        network, stimuli, labels, 0
    )
    for number, module in enumerate(modules):
        x, classes = part_of_subject(stimuli, labels, number)
        first, second, last = module[0], module[3], module[6]
        z1 = F.conv2d(x, first.weight, first.bias, padding=1)
        h1 = F.max_pool2d(z1.clamp(min=0), 2)
        z2 = F.conv2d(h1, second.weight, second.bias)
        h2 = z2.clamp(min=0).flatten(1)
        scores = h2 @ last.weight.T + last.bias
        error, signal = signals(name, scores, classes)
        sent1 = (GAINS[number] * signal @ weight_to(network, 1, number)).view_as(h1)
        # Max pooling passes on the largest value of each square, which alone receives the signal.
        largest = F.interpolate(h1, scale_factor=2) == z1
        delta1 = F.interpolate(sent1, scale_factor=2) * largest * (z1 > 0)
        sent2 = GAINS[number] * signal @ weight_to(network, 2, number)
        delta2 = sent2.view_as(z2) * (z2 > 0)
        taps = F.unfold(x, 3, padding=1).view(len(x), 2, 3, 3, 36)
        expected = [
            torch.einsum("nop,ncklp->ockl", delta1.flatten(2), taps),
            delta1.sum((0, 2, 3)),
            torch.einsum(
                "nop,ncklp->ockl", delta2.flatten(2), F.unfold(h1, 2).view(-1, 3, 2, 2, 4)
            ),
            delta2.sum((0, 2, 3)),
            error.T @ h2,
            error.sum(0),
        ]
        assert_steps(updates.forward, number, [each.detach() for each in expected])


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("make", [mlp, conv])
def test_broadcast_weights_are_drawn_once_for_each_subject_and_layer(make, name: str) -> None:  # type: ignore[no-untyped-def]
    network, _ = repeated_subject(make, 30)
    rule = RULES[name]()
    rule.compute_updates(network, *batch(30), 0)
    drawn = {key: value.clone() for key, value in network.memory.items()}
    assert len(drawn) == len(network.layers) - 1
    rule.compute_updates(network, *batch(30, seed=4), 1)
    for key, value in drawn.items():
        assert torch.equal(network.memory[key], value)
        unit = value * CLASSES**0.5
        assert abs(unit.mean()) < 5 / unit.numel() ** 0.5
        assert abs(unit.square().mean() - 1) < 5 * (2 / unit.numel()) ** 0.5
        overlap = torch.corrcoef(value.flatten(1)) - torch.eye(30, dtype=torch.float64)
        assert overlap.abs().max() < 6 / value[0].numel() ** 0.5
