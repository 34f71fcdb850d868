"""Targets and inverses, against a multilayer perceptron written out for one subject."""

from __future__ import annotations

import torch
from torch import nn

from tests.subject.cohorts import (
    CLASSES,
    assert_steps,
    batch,
    mlp,
    network_and_modules,
    part_of_subject,
    rule_of,
)
from virtuallab.registry import RULES

SETTINGS = (
    {"nudge": 0.5, "noise_std": 0.1, "inverse_rate": 1.0},
    {"nudge": 0.2, "noise_std": 0.4, "inverse_rate": 0.3},
)


def test_a_multilayer_perceptron_learns_as_one_written_by_hand() -> None:
    network, modules = network_and_modules(mlp)
    stimuli, labels = batch()
    rule = rule_of("difference_target_propagation", *SETTINGS)
    updates = rule.compute_updates(network, stimuli, labels, 0)
    for number, module in enumerate(modules):
        nudge, std, rate = SETTINGS[number].values()
        images, shown = part_of_subject(stimuli, labels, number)
        x = images.flatten(1)
        count = len(x)
        (w1, c1), (w2, c2), (w3, c3) = (
            (layer.weight.detach(), layer.bias.detach()) for layer in module[1::2]
        )
        _, b2, b3 = (layer.backward_weight[number] for layer in network.layers.values())

        def f1(h, w=w1, c=c1):  # type: ignore[no-untyped-def]
            return (h @ w.T + c).clamp(min=0)

        def f2(h, w=w2, c=c2):  # type: ignore[no-untyped-def]
            return (h @ w.T + c).clamp(min=0)

        def f3(h, w=w3, c=c3):  # type: ignore[no-untyped-def]
            return h @ w.T + c

        h1 = f1(x)
        h2 = f2(h1)
        scores = f3(h2)
        error = scores.softmax(1) - torch.eye(CLASSES, dtype=torch.float64)[shown]
        t3 = scores - nudge * error
        t2 = h2 + (t3 @ b3).clamp(min=0) - (scores @ b3).clamp(min=0)
        t1 = h1 + (t2 @ b2).clamp(min=0) - (h2 @ b2).clamp(min=0)
        forward = []
        for h, t, below in ((h1, t1, x), (h2, t2, h1)):
            delta = (h - t) * (h > 0) / nudge / count
            forward += [delta.T @ below, delta.sum(0)]
        delta = (scores - t3) / nudge / count
        assert_steps(updates.forward, number, [*forward, delta.T @ h2, delta.sum(0)])

        stream = torch.Generator().manual_seed(50 + number)
        tried = [
            h + std * torch.randn(h.shape, generator=stream, dtype=torch.float64)
            for h in (x, h1, h2)
        ]
        backward = [torch.zeros_like(w1)]
        for h, f, b in ((tried[1], f2, b2), (tried[2], f3, b3)):
            mine = b.clone().requires_grad_()
            loss = (torch.relu(f(h) @ mine) - h).square().sum() / 2 / count
            backward.append(rate * torch.autograd.grad(loss, mine)[0])
        assert_steps(updates.backward, number, backward)
        torch.testing.assert_close(
            updates.losses[number], nn.functional.cross_entropy(scores, shown)
        )


def test_where_every_unit_is_active_targets_carry_the_error_down_through_the_inverses() -> None:
    network, modules = network_and_modules(mlp)
    stimuli, labels = batch()
    for layer in network.layers.values():
        layer.backward_weight = layer.backward_weight.abs()
        with torch.no_grad():
            layer.bias += 50.0
    for module in modules:
        with torch.no_grad():
            for layer in module[1::2]:
                layer.bias += 50.0
                layer.weight.abs_()
    with torch.no_grad():
        for place, layer in enumerate(network.layers.values()):
            layer.weight.copy_(torch.stack([module[1 + 2 * place].weight for module in modules]))
    updates = RULES["difference_target_propagation"](nudge=1e-3).compute_updates(
        network, stimuli, labels, 0
    )
    for number, module in enumerate(modules):
        images, shown = part_of_subject(stimuli, labels, number)
        x = images.flatten(1)
        h1 = module[1](x)
        h2 = module[3](h1)
        assert min(h1.min(), h2.min()) > 0
        scores = module[5](h2)
        error = scores.softmax(1) - torch.eye(CLASSES, dtype=torch.float64)[shown]
        _, b2, b3 = (layer.backward_weight[number] for layer in network.layers.values())
        wanted = (error @ b3 @ b2).T @ x / len(x)
        torch.testing.assert_close(
            updates.forward[0][number], wanted.detach(), rtol=1e-6, atol=1e-9
        )
