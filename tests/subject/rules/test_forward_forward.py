"""Forward-forward, against the gradient of each layer's own loss worked out on paper."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tests.subject.cohorts import (
    CHANNELS,
    CLASSES,
    FIELD,
    assert_steps,
    batch,
    conv,
    gradient,
    mlp,
    network_and_modules,
    part_of_subject,
    repeated_subject,
)
from virtuallab.registry import RULES
from virtuallab.subject.rule import stack_settings

THRESHOLDS, STRENGTHS = (0.2, 0.6), (1.0, 0.4)


class Watched(RULES["forward_forward"]):  # type: ignore[misc]
    """Tells which labels it took for wrong."""

    def _wrong(self, *shown: object) -> Tensor:
        found: Tensor = super()._wrong(*shown)
        shown[0].memory["wrong"] = found  # type: ignore[attr-defined]
        return found


def shared_rule() -> Watched:
    each = zip(THRESHOLDS, STRENGTHS, strict=True)
    return stack_settings(
        [Watched(threshold=theta, label_strength=size) for theta, size in each], torch.float64
    )


def unit_power(x: Tensor) -> Tensor:
    power = x.flatten(1).square().mean(1) + 1e-8
    return x / power.sqrt().view(-1, *[1] * (x.dim() - 1))


@pytest.mark.parametrize("make", [mlp, conv])
def test_hidden_layers_follow_the_closed_form_and_the_readout_its_gradient(make) -> None:  # type: ignore[no-untyped-def]
    network, modules = network_and_modules(make)
    stimuli, labels = batch()
    updates = shared_rule().compute_updates(network, stimuli, labels, 0)
    patterns = network.streams.fixed_normal("label patterns", (CLASSES, CHANNELS, *FIELD), stimuli)
    for number, module in enumerate(modules):
        images, right = part_of_subject(stimuli, labels, number)
        count = len(images)
        expected = {p: torch.zeros_like(p) for p in module.parameters()}
        for shown, sign in ((right, -1), (network.memory["wrong"][:, number], 1)):
            x = images + STRENGTHS[number] * patterns[number][shown]
            for layer in list(module)[:-1]:
                if not isinstance(layer, nn.Linear | nn.Conv2d):
                    x = layer(x).detach()
                    continue
                read = unit_power(x)
                x = z = layer(unit_power(x)).detach()
                y = z.clamp(min=0)
                goodness = y.flatten(1).square().mean(1)
                # d softplus(s (g - theta)) = s sigmoid(s (g - theta)) dg, with dg/dz = 2 y / units.
                doubt = sign * torch.sigmoid(sign * (goodness - THRESHOLDS[number])) / count
                delta = doubt.view(-1, *[1] * (z.dim() - 1)) * 2 * y / z[0].numel()
                if isinstance(layer, nn.Linear):
                    expected[layer.weight] += delta.T @ read
                    expected[layer.bias] += delta.sum(0)
                else:
                    taps = F.unfold(read, layer.kernel_size, padding=layer.padding)
                    product = torch.einsum("nop,nkp->ok", delta.flatten(2), taps)
                    expected[layer.weight] += product.view_as(layer.weight)
                    expected[layer.bias] += delta.sum((0, 2, 3))
        true = gradient(module, images, right)
        assert_steps(updates.forward, number, [*list(expected.values())[:-2], *true[-2:]])
        loss = F.cross_entropy(module(images), right)
        torch.testing.assert_close(updates.losses[number], loss.detach())


def test_a_wrong_label_is_never_the_right_one_and_any_other_as_often() -> None:
    network, _ = repeated_subject(mlp, 30)
    counts = torch.zeros(CLASSES)
    for seed in range(10):
        stimuli, labels = batch(30, 20, seed)
        Watched().compute_updates(network, stimuli, labels, 0)
        wrong = network.memory["wrong"]
        assert wrong.shape == labels.shape
        assert ((wrong >= 0) & (wrong < CLASSES)).all()
        counts += torch.bincount(((wrong - labels) % CLASSES).flatten(), minlength=CLASSES)
    assert counts[0] == 0
    share = 1 / (CLASSES - 1)
    deviation = (share * (1 - share) / counts.sum()) ** 0.5
    assert ((counts[1:] / counts.sum() - share).abs() < 5 * deviation).all()


def test_labels_have_fixed_patterns_of_their_own_for_each_subject() -> None:
    network, _ = network_and_modules(mlp)
    shape = (CLASSES, CHANNELS, *FIELD)
    first = network.streams.fixed_normal("label patterns", shape, batch()[0])
    shared_rule().compute_updates(network, *batch(), 0)
    assert torch.equal(network.streams.fixed_normal("label patterns", shape, batch()[0]), first)
    rows = first.flatten(0, 1).flatten(1)
    overlap = torch.corrcoef(rows) - torch.eye(len(rows), dtype=torch.float64)
    assert overlap.abs().max() < 5 / rows.shape[1] ** 0.5
