"""Running averages, which each batch updates once however many passes a rule makes."""

from __future__ import annotations

import pytest
import torch

from tests.subject.cohorts import batch, network_and_modules, normalised, part_of_subject
from virtuallab.registry import RULES

# The running averages include noise in the activity, which is negligible here.
QUIET = {"reward_modulated_hebbian": {"noise_std": 1e-9, "moments": 3}}


@pytest.mark.parametrize("name", [name for name in RULES if not RULES[name].dense_only])
def test_a_batch_updates_running_averages_as_one_pass_of_plain_torch(name: str) -> None:
    network, modules = network_and_modules(normalised)
    rule = RULES[name](**QUIET.get(name, {}))
    for seed in range(2):
        stimuli, labels = batch(seed=seed)
        rule.compute_updates(network, stimuli, labels, seed)
        found = dict(network.population.named_buffers())
        for number, module in enumerate(modules):
            module(part_of_subject(stimuli, labels, number)[0])
            for path, value in module.named_buffers():
                if path in found:
                    torch.testing.assert_close(found[path][number], value, rtol=0, atol=1e-7)
