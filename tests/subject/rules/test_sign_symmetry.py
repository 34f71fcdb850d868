"""Backward weights with the forward weights' signs, and magnitudes of three kinds."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from tests.subject.cohorts import (
    batch,
    conv,
    mlp,
    network_and_modules,
    repeated_subject,
    rule_of,
    subject,
    trainer_of,
)
from virtuallab.registry import RULES
from virtuallab.subject.network.network import Network

MAGNITUDES = ["uniform", "fixed", "batchwise"]


def returned_through(network: Network) -> list[Tensor]:
    found = [layer.backward_weight for layer in network.layers.values()]
    return [b.clone() for b in found if b is not None]


@pytest.mark.parametrize("net", ["mlp", "knet4"])
@pytest.mark.parametrize("magnitudes", MAGNITUDES)
def test_signs_are_those_of_the_weights_at_every_batch(magnitudes: str, net: str) -> None:
    trainer = trainer_of(subject("sign_symmetry", net, rule_settings={"magnitudes": magnitudes}))
    first = [layer.weight.detach().sign() for layer in trainer.network.layers.values()]
    flipped = False
    for step, shown in zip(range(10), trainer.batches(), strict=False):
        signs = [layer.weight.detach().sign() for layer in trainer.network.layers.values()]
        trainer.training_step(*shown, step)
        for sign, b in zip(signs, returned_through(trainer.network), strict=True):
            assert torch.equal(b.sign(), sign)
        flipped |= any(not torch.equal(a, b) for a, b in zip(signs, first, strict=True))
    assert flipped  # or the test would show nothing


@pytest.mark.parametrize("make", [mlp, conv])
def test_uniform_magnitudes_are_the_layers_initial_deviation(make) -> None:  # type: ignore[no-untyped-def]
    network, _ = network_and_modules(make)
    born = returned_through(network)
    rule = rule_of("sign_symmetry", {"gain": 1.0}, {"gain": 3.0})
    for step in range(3):
        rule.compute_updates(network, *batch(seed=step), step)
        for drawn, b in zip(born, returned_through(network), strict=True):
            for number, gain in enumerate((1.0, 3.0)):
                size = gain * (drawn[number] ** 2).mean().sqrt()
                torch.testing.assert_close(b[number].abs(), size.expand_as(b[number]))


@pytest.mark.parametrize("make", [mlp, conv])
def test_fixed_magnitudes_are_drawn_once_and_never_change(make) -> None:  # type: ignore[no-untyped-def]
    network, _ = network_and_modules(make)
    born = returned_through(network)
    rule = rule_of(
        "sign_symmetry",
        *({"gain": gain, "magnitudes": "fixed"} for gain in (1.0, 3.0)),
    )
    gains = torch.tensor([1.0, 3.0], dtype=torch.float64)
    for step in range(3):
        rule.compute_updates(network, *batch(seed=step), step)
        with torch.no_grad():
            for layer in network.layers.values():
                layer.weight.neg_()
        for drawn, b in zip(born, returned_through(network), strict=True):
            expected = drawn.abs() * gains.view(2, *[1] * (b.dim() - 1))
            torch.testing.assert_close(b.abs(), expected, rtol=1e-14, atol=0)


def test_batchwise_magnitudes_are_half_a_gaussian_anew_for_every_batch() -> None:
    network, _ = repeated_subject(mlp, 40)
    generator = torch.Generator().manual_seed(1)
    for layer in network.layers.values():
        shape = layer.weight.shape
        layer.backward_weight = 0.3 * torch.randn(shape, generator=generator, dtype=torch.float64)
    deviations = [b.flatten(1).square().mean(1).sqrt() for b in returned_through(network)]
    rule = RULES["sign_symmetry"](magnitudes="batchwise", gain=2.0)
    before = returned_through(network)
    for step in range(3):
        rule.compute_updates(network, *batch(40), step)
        now = returned_through(network)
        for last, b, deviation in zip(before, now, deviations, strict=True):
            assert not torch.isclose(last.abs(), b.abs()).all(0).any()
            unit = (b.flatten(1) / (2 * deviation.unsqueeze(1))).abs().flatten()
            count = len(unit)
            # Moments of half a Gaussian, to five standard errors.
            assert abs(unit.square().mean() - 1) < 5 * (2 / count) ** 0.5
            assert (
                abs(unit.mean() - (2 / torch.pi) ** 0.5) < 5 * ((1 - 2 / torch.pi) / count) ** 0.5
            )
            assert abs((unit < 0.6744898).double().mean() - 0.5) < 5 * 0.5 / count**0.5
        before = now


@pytest.mark.parametrize("magnitudes", MAGNITUDES)
def test_the_error_returns_through_what_the_rule_made(magnitudes: str) -> None:
    network, modules = network_and_modules(mlp)
    stimuli, labels = batch()
    settings = {"magnitudes": magnitudes, "gain": 0.5}
    updates = RULES["sign_symmetry"](**settings).compute_updates(network, stimuli, labels, 0)
    assert updates.backward is None
    for number, module in enumerate(modules):
        x = stimuli[:, 2 * number : 2 * number + 2].flatten(1)
        z1 = module[1](x)
        z2 = module[3](z1.relu())
        scores = module[5](z2.relu())
        error = scores.softmax(1) - torch.eye(4, dtype=torch.float64)[labels[:, number]]
        _, b2, b3 = (layer.backward_weight[number] for layer in network.layers.values())
        delta2 = (error / len(x)) @ b3 * (z2 > 0)
        delta1 = delta2 @ b2 * (z1 > 0)
        torch.testing.assert_close(updates.forward[0][number], delta1.T @ x)
        torch.testing.assert_close(updates.forward[1][number], delta1.sum(0))
        torch.testing.assert_close(updates.forward[2][number], delta2.T @ z1.relu())
