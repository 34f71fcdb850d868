"""Values relax, then weights follow: against a network whose energy is written out."""

from __future__ import annotations

from math import comb

import pytest
import torch
from torch import Tensor, nn

from tests.subject.cohorts import (
    NETS,
    assert_steps,
    batch,
    gradient,
    mlp,
    network_and_modules,
    part_of_subject,
    rule_of,
    smooth,
)
from virtuallab.registry import RULES


def energy(module: nn.Module, x: Tensor, v1: Tensor, v2: Tensor, labels: Tensor) -> Tensor:
    _, first, act, second, _, last = module
    surprise = (v1 - act(first(x))).square().sum() + (v2 - act(second(v1))).square().sum()
    return surprise / 2 + nn.functional.cross_entropy(last(v2), labels, reduction="sum")


@pytest.mark.parametrize("make", [mlp, smooth])
@pytest.mark.parametrize("steps", [1, 7])
def test_weights_descend_the_energy_of_relaxed_values(steps: int, make) -> None:  # type: ignore[no-untyped-def]
    rates = (0.1, 0.3)
    network, modules = network_and_modules(make)
    rule = rule_of(
        "predictive_coding", *({"inference_steps": steps, "inference_rate": r} for r in rates)
    )
    stimuli, labels = batch()
    updates = rule.compute_updates(network, stimuli, labels, 0)
    for number, module in enumerate(modules):
        images, shown = part_of_subject(stimuli, labels, number)
        x = images.flatten(1)
        with torch.no_grad():
            v1 = module[:3](x)
            v2 = module[3:5](v1)
            loss = nn.functional.cross_entropy(module[5](v2), shown)
        torch.testing.assert_close(updates.losses[number], loss)
        v1.requires_grad_()
        v2.requires_grad_()
        for _ in range(steps):
            slopes = torch.autograd.grad(energy(module, x, v1, v2, shown), (v1, v2))
            with torch.no_grad():
                v1 -= rates[number] * slopes[0]
                v2 -= rates[number] * slopes[1]
        wanted = torch.autograd.grad(energy(module, x, v1, v2, shown), list(module.parameters()))
        assert_steps(updates.forward, number, [each / len(x) for each in wanted])


@pytest.mark.parametrize("net", NETS)
def test_the_energy_falls_at_every_step_of_inference(net: str) -> None:
    seen: list[Tensor] = []

    class Watched(RULES["predictive_coding"]):  # type: ignore[misc]
        def _energy(self, *shown: object) -> Tensor:
            found: Tensor = super()._energy(*shown)
            seen.append(found.sum(0).detach())
            return found

    network, _ = network_and_modules(NETS[net])
    Watched(inference_steps=12, inference_rate=0.03).compute_updates(network, *batch(), 0)
    course = torch.stack(seen)
    assert len(course) == 13
    assert (course.diff(dim=0) < 0).all()


def test_one_step_of_inference_brings_the_error_one_layer_down() -> None:
    network, modules = network_and_modules(mlp)
    stimuli, labels = batch()
    rule = RULES["predictive_coding"](inference_steps=1, inference_rate=1e-9)
    updates = rule.compute_updates(network, stimuli, labels, 0)
    assert not updates.forward[0].any()
    for number, module in enumerate(modules):
        true = gradient(module, *part_of_subject(stimuli, labels, number))
        for place in (4, 5):
            torch.testing.assert_close(
                updates.forward[place][number], true[place], rtol=1e-6, atol=1e-9
            )


@pytest.mark.parametrize("steps", [2, 5])
def test_with_small_steps_of_inference_weights_turn_towards_the_gradient(steps: int) -> None:
    """An error k layers below the output is the true one, rate^k times (steps over k)."""
    network, modules = network_and_modules(smooth)
    stimuli, labels = batch()
    errors = []
    for rate in (1e-2, 1e-3, 1e-4):
        rule = RULES["predictive_coding"](inference_steps=steps, inference_rate=rate)
        updates = rule.compute_updates(network, stimuli, labels, 0)
        for number, module in enumerate(modules):
            true = gradient(module, *part_of_subject(stimuli, labels, number))
            for place, depth in ((0, 2), (2, 1), (4, 0)):
                size = comb(steps, depth) * rate**depth
                found = updates.forward[place][number] / size
                error = (found - true[place]).norm() / true[place].norm()
                errors.append(float(error))
                assert error < 10 * rate * steps
    coarse, fine = torch.tensor(errors).view(3, -1)[[0, 2]]
    assert (fine < coarse / 50 + 1e-5).all()  # surprises of 1e-8 keep few digits
