"""Convergence of the mean update of perturbation rules to the gradient."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor
from torch.func import functional_call
from torch.nn.functional import cross_entropy

from tests.subject.cohorts import (
    assert_steps,
    batch,
    conv,
    exponent,
    gradient,
    mlp,
    network_and_modules,
    normalised,
    part_of_subject,
    repeated_subject,
    rule_of,
    same_batch,
    smooth,
)
from virtuallab.registry import RULES

SUBJECTS, ROUNDS, STD = 256, 12, 1e-5


def assert_converges(draws: list[list[Tensor]], true: list[Tensor], weights: list[int]) -> None:
    """Means over draws equal the gradient; those of weights converge at the expected rate."""
    for place, target in enumerate(true):
        each = torch.cat([steps[place] for steps in draws])
        deviation = each.std(0) / len(each) ** 0.5
        assert ((each.mean(0) - target).abs() < 5 * deviation + 1e-6).all()
        if place in weights:
            assert exponent(each, target, (1, 4, 16, 64)) == pytest.approx(-0.5, abs=0.1)
            if place == max(weights):  # so that noise alone would not pass
                assert each.mean(0).norm() > 0.7 * target.norm()


@pytest.mark.parametrize("make", [smooth, conv])
@pytest.mark.parametrize("name", ["node_perturbation", "weight_perturbation"])
def test_perturbation_follows_the_gradient_on_average(name: str, make: Any) -> None:
    network, module = repeated_subject(make, SUBJECTS)
    stimuli, labels = same_batch(SUBJECTS, 3)
    rule = RULES[name](noise_std=STD)
    draws = [rule.compute_updates(network, stimuli, labels, 0).forward for _ in range(ROUNDS)]
    true = gradient(module, *part_of_subject(stimuli, labels, 0))
    weights = [network.index_of(layer.weight) for layer in network.layers.values()]
    assert_converges(draws, true, weights)


@pytest.mark.parametrize(("moments", "trace"), [(1, 0.0), (2, 0.5), (3, 0.8), (3, 0.0)])
def test_reward_modulated_hebbian_learning_follows_a_scaled_gradient(
    moments: int, trace: float
) -> None:
    network, module = repeated_subject(smooth, SUBJECTS)
    stimuli, labels = same_batch(SUBJECTS, 1)
    with torch.no_grad():
        scores = module(stimuli[:, :2])
    reward = scores.log_softmax(1)[0, labels[0, 0]]
    rule = RULES["reward_modulated_hebbian"](noise_std=STD, moments=moments, trace=trace)
    draws = []
    for _ in range(ROUNDS):
        # The reward without noise is expected, so that only the effect of the noise remains.
        network.memory["expected reward"] = reward.repeat(SUBJECTS)
        draws.append(rule.compute_updates(network, stimuli, labels, 0).forward)
    weights_of_moments = [trace**age for age in range(moments)]
    # The weight of a moment in the averaged response is also the weight of its trace.
    scale = sum(each**2 for each in weights_of_moments) / sum(weights_of_moments)
    true = [scale * each for each in gradient(module, *part_of_subject(stimuli, labels, 0))]
    weights = [network.index_of(layer.weight) for layer in network.layers.values()]
    assert_converges(draws, true, weights)


@pytest.mark.parametrize("reward", ["log_likelihood", "correct"])
def test_reward_modulated_hebbian_updates_are_trace_times_reward_prediction_error(
    reward: str,
) -> None:
    network, modules = network_and_modules(mlp)
    settings = (
        {"noise_std": 0.5, "trace": 0.6, "baseline_rate": 0.1},
        {"noise_std": 0.2, "trace": 0.3, "baseline_rate": 0.5},
    )
    rule = rule_of(
        "reward_modulated_hebbian", *(each | {"moments": 3, "reward": reward} for each in settings)
    )
    batches = [batch(seed=seed) for seed in range(3)]
    found = [rule.compute_updates(network, *each, step) for step, each in enumerate(batches)]
    for number, module in enumerate(modules):
        stream = torch.Generator().manual_seed(50 + number)
        std, trace, rate = settings[number].values()
        expected_reward = None
        layers = [module[place] for place in (1, 3, 5)]
        for batch_, updates in zip(batches, found, strict=True):
            images, labels = part_of_subject(*batch_, number)
            count = len(images)
            eligibility = [
                [
                    torch.zeros(count, *p.shape, dtype=torch.float64)
                    for p in (each.weight, each.bias)
                ]
                for each in layers
            ]
            answer, total = torch.zeros(count, 4, dtype=torch.float64), 0.0
            for _ in range(3):
                h = images.flatten(1)
                for traces, layer in zip(eligibility, layers, strict=True):
                    xi = torch.randn(
                        count, layer.out_features, generator=stream, dtype=torch.float64
                    )
                    traces[0] = trace * traces[0] + torch.einsum("no,ni->noi", xi, h)
                    traces[1] = trace * traces[1] + xi
                    z = layer(h) + std * xi
                    h = z.relu()
                answer, total = trace * answer + z, trace * total + 1
            chance = (answer / total).log_softmax(1)
            if reward == "correct":
                rewards = (chance.argmax(1) == labels).double()
            else:
                rewards = chance[torch.arange(count), labels]
            mean = rewards.mean()
            expected_reward = mean if expected_reward is None else expected_reward
            prediction_error = (rewards - expected_reward) / std
            expected_reward = (1 - rate) * expected_reward + rate * mean
            steps = [
                -torch.einsum("n,n...->...", prediction_error, each).detach() / count
                for traces in eligibility
                for each in traces
            ]
            assert_steps(updates.forward, number, steps)


def test_weight_perturbation_updates_are_noise_times_change_of_loss() -> None:
    network, modules = network_and_modules(conv)
    stimuli, labels = batch()
    sizes = (0.1, 0.02)
    rule = rule_of("weight_perturbation", *({"noise_std": size} for size in sizes))
    updates = rule.compute_updates(network, stimuli, labels, 0)
    for number, (module, size) in enumerate(zip(modules, sizes, strict=True)):
        images, classes = part_of_subject(stimuli, labels, number)
        stream = torch.Generator().manual_seed(50 + number)
        noise, perturbed = {}, {}
        for path, p in module.named_parameters():
            noise[path] = torch.randn(p.shape, generator=stream, dtype=torch.float64)
            perturbed[path] = p.detach() + size * noise[path]
        with torch.no_grad():
            before = cross_entropy(module(images), classes)
            after = cross_entropy(functional_call(module, perturbed, images), classes)
        slope = (after - before) / size
        assert_steps(updates.forward, number, [slope * xi for xi in noise.values()])


def test_weights_are_restored_after_they_were_perturbed() -> None:
    network, _ = network_and_modules(normalised)
    before = [p.detach().clone() for p in network.parameters]
    RULES["weight_perturbation"](noise_std=0.3).compute_updates(network, *batch(), 0)
    for then, now in zip(before, network.parameters, strict=True):
        assert torch.equal(then, now)


@pytest.mark.parametrize("name", ["node_perturbation", "reward_modulated_hebbian"])
def test_scale_and_offset_of_a_normalisation_are_not_perturbed(name: str) -> None:
    network, _ = network_and_modules(normalised)
    updates = RULES[name]().compute_updates(network, *batch(), 0)
    perturbed = {
        network.index_of(p)
        for layer in network.layers.values()
        for p in (layer.weight, layer.bias)
        if p is not None
    }
    for place, step in enumerate(updates.forward):
        assert bool(step.any()) == (place in perturbed)
