"""However often a rule looks at a batch, the batch is seen once by the running averages."""

from __future__ import annotations

import pytest
import torch

from tests.subject.cohorts import batch, normalised, own, raised
from virtuallab.registry import RULES

# Noise in the activity is part of what is averaged; here it is too small to be seen.
QUIET = {"reward_modulated_hebbian": {"noise_std": 1e-9, "moments": 3}}


@pytest.mark.parametrize("name", [name for name in RULES if not RULES[name].dense_only])
def test_a_batch_moves_the_running_averages_as_one_pass_of_plain_torch(name: str) -> None:
    network, modules = raised(normalised)
    rule = RULES[name](**QUIET.get(name, {}))
    for seed in range(2):
        stimuli, labels = batch(seed=seed)
        rule.compute_updates(network, stimuli, labels, seed)
        found = dict(network.population.named_buffers())
        for number, module in enumerate(modules):
            module(own(stimuli, labels, number)[0])
            for path, value in module.named_buffers():
                if path in found:
                    torch.testing.assert_close(found[path][number], value, rtol=0, atol=1e-7)
