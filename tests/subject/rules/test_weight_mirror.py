from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from tests.subject.cohorts import (
    assert_steps,
    batch,
    conv,
    exponent,
    inputs,
    mlp,
    network_and_modules,
    part_of_subject,
    repeated_subject,
    rule_of,
    same_batch,
)
from virtuallab.registry import RULES


@pytest.mark.parametrize("make", [mlp, conv])
def test_mirroring_noise_converges_to_the_forward_weight_as_an_average(make: Any) -> None:
    subjects, rounds, amp, std = 64, 8, 0.7, 0.5
    network, module = repeated_subject(make, subjects)
    for layer in network.layers.values():
        layer.backward_weight = torch.zeros_like(layer.weight)
    rule = RULES["weight_mirror"](amp=amp, decay=0.0, noise_std=std)
    stimuli, labels = same_batch(subjects)
    updates_of_rounds = [
        rule.compute_updates(network, stimuli, labels, 0).backward for _ in range(rounds)
    ]
    for place, path in enumerate(network.layers):
        layer = module.get_submodule(path)
        target = -amp * std**2 * layer.weight.detach()
        if isinstance(layer, nn.Conv2d) and layer.padding == (1, 1):
            # At a border the kernel extends beyond the image, where there is no noise.
            reach = torch.tensor([5 / 6, 1, 5 / 6], dtype=torch.float64)
            target = target * torch.outer(reach, reach)
        draws = torch.cat([updates[place] for updates in updates_of_rounds])
        assert exponent(draws, target, (1, 4, 16, 64)) == pytest.approx(-0.5, abs=0.06)
        deviation = draws.std(0) / len(draws) ** 0.5
        assert ((draws.mean(0) - target).abs() < 5 * deviation).all()


def test_mirroring_centred_activity_is_the_covariance_rule() -> None:
    network, modules = network_and_modules(mlp)
    stimuli, labels = batch()
    amps = (0.2, 0.6)
    settings = {"activity": "own", "centre": True, "alternate": 0, "decay": 0.0}
    rule = rule_of("weight_mirror", *({"amp": amp, **settings} for amp in amps))
    updates = rule.compute_updates(network, stimuli, labels, 0)
    for number, (module, amp) in enumerate(zip(modules, amps, strict=True)):
        layer_inputs = inputs(module, part_of_subject(stimuli, labels, number)[0])
        expected = []
        for path, x in layer_inputs.items():
            covariance = torch.cov(x.flatten(1).T, correction=0)
            expected.append(-amp * module.get_submodule(path).weight.detach() @ covariance)
        assert_steps(updates.backward, number, expected)
