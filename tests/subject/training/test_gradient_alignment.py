"""Angles to the gradient, compared with plain torch, and absence of side effects."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from tests.subject.cohorts import (
    NETS,
    backward_weights,
    batch,
    forward_weights,
    gradient,
    inputs,
    mlp,
    network_and_modules,
    part_of_subject,
    subject,
    trainer_of,
)
from virtuallab.registry import RULES
from virtuallab.subject.network.layers.dropout import PopulationDropout
from virtuallab.subject.network.network import Network
from virtuallab.subject.training.gradient_alignment import angle, gradient_alignment


def degrees(a: Tensor, b: Tensor) -> float:
    u, v = a.detach().flatten().numpy(), b.detach().flatten().numpy()
    cosine = (u @ v) / np.sqrt(u @ u) / np.sqrt(v @ v)
    return float(np.degrees(np.arccos(np.clip(cosine, -1, 1))))


def test_an_angle_is_exact_where_an_arc_cosine_is_not() -> None:
    tiny = torch.tensor([[1.0, 1e-9], [1.0, 0.0], [-1.0, 0.0], [0.0, 3.0]], dtype=torch.float64)
    found = angle(tiny, torch.tensor([[2.0, 0.0]] * 4, dtype=torch.float64))
    expected = torch.tensor([np.degrees(1e-9), 0.0, 180.0, 90.0], dtype=torch.float64)
    torch.testing.assert_close(found, expected, rtol=1e-12, atol=0)


def errors_and_updates(module: nn.Module, b: list[Tensor], x: Tensor, labels: Tensor) -> Any:
    """Errors and updates of a perceptron whose error returns through B."""
    z1 = module[1](x)
    z2 = module[3](z1.relu())
    scores = module[5](z2.relu())
    delta3 = (scores.softmax(1) - torch.eye(4, dtype=torch.float64)[labels]) / len(x)
    delta2 = delta3 @ b[2] * (z2 > 0)
    delta1 = delta2 @ b[1] * (z1 > 0)
    steps = []
    for delta, x_in in ((delta1, x), (delta2, z1.relu()), (delta3, z2.relu())):
        steps += [(delta.T @ x_in).detach(), delta.sum(0).detach()]
    return [delta1, delta2, delta3], steps


def test_measures_of_feedback_alignment_equal_those_of_plain_torch() -> None:
    network, modules = network_and_modules(mlp)
    stimuli, labels = batch()
    names = list(network.layers)
    found = gradient_alignment(RULES["feedback_alignment"](), network, stimuli, labels, names)
    for number, module in enumerate(modules):
        images, classes = part_of_subject(stimuli, labels, number)
        x = images.flatten(1)
        b = [layer.backward_weight[number] for layer in network.layers.values()]
        deltas, steps = errors_and_updates(module, b, x, classes)
        true = gradient(module, images, classes)
        layer_inputs = inputs(module, images)
        for place, name in enumerate(names):
            w = module[1 + 2 * place].weight.detach()
            expected = {
                "gradient_angle": degrees(steps[2 * place], true[2 * place]),
                "gradient_norm_ratio": float(steps[2 * place].norm() / true[2 * place].norm()),
                "weight_angle": degrees(w, b[place]),
                "weight_norm_ratio": float(b[place].norm() / w.norm()),
                "sign_agreement": float((w.sign() == b[place].sign()).double().mean()),
                "projection_angle": degrees(
                    layer_inputs[name] @ w.T, layer_inputs[name] @ b[place].T
                ),
            }
            if place:  # nothing lies below the first layer
                down = deltas[place] @ b[place], deltas[place] @ w
                expected["local_gradient_angle"] = degrees(*down)
            else:
                assert found["local_gradient_angle"][number, 0].isnan()
            for quantity, value in expected.items():
                measured = float(found[quantity][number, place])
                assert measured == pytest.approx(value, rel=1e-6, abs=1e-5), quantity
        whole = [torch.cat([each.flatten() for each in steps]) for steps in (steps, true)]
        assert float(found["total_gradient_angle"][number]) == pytest.approx(degrees(*whole))


@pytest.mark.parametrize("net", NETS)
def test_backprop_follows_the_gradient_and_has_no_backward_weight(net: str) -> None:
    network, _ = network_and_modules(NETS[net])
    for layer in network.layers.values():
        layer.backward_weight = None
    found = gradient_alignment(RULES["backprop"](), network, *batch(), list(network.layers))
    shape = (2, len(network.layers))
    assert torch.equal(found["gradient_angle"], torch.zeros(shape, dtype=torch.float64))
    assert torch.equal(found["gradient_norm_ratio"], torch.ones(shape, dtype=torch.float64))
    assert torch.equal(found["total_gradient_angle"], torch.zeros(2, dtype=torch.float64))
    for name in (
        "weight_angle",
        "weight_norm_ratio",
        "sign_agreement",
        "projection_angle",
        "local_gradient_angle",
    ):
        assert found[name].shape == shape
        assert found[name].isnan().all()


@pytest.mark.parametrize("magnitudes", ["uniform", "fixed", "batchwise"])
def test_sign_symmetry_has_agreeing_signs_at_initialization(magnitudes: str) -> None:
    network, _ = network_and_modules(mlp)
    rule = RULES["sign_symmetry"](magnitudes=magnitudes)
    found = gradient_alignment(rule, network, *batch(), list(network.layers))
    assert torch.equal(found["sign_agreement"], torch.ones(2, 3, dtype=torch.float64))
    assert (found["weight_angle"] < 60).all()


def noisy() -> nn.Module:
    return nn.Sequential(
        nn.Flatten(),
        nn.Linear(72, 8),
        nn.BatchNorm1d(8),
        nn.ReLU(),
        nn.Dropout(0.3),
        nn.Linear(8, 6),
        nn.ReLU(),
        nn.Dropout(0.3),
        nn.Linear(6, 4),
    )


def state_of(network: Network) -> dict[str, Tensor]:
    """Copy of all state that a measurement could change."""
    kept = {name: value.clone() for name, value in network.memory.items()}
    kept |= {name: value.clone() for name, value in network.population.state_dict().items()}
    for name, layer in network.layers.items():
        kept[f"backward weight of {name}"] = layer.backward_weight.clone()
    streams = list(network.streams._generators)
    for module in network.population.modules():
        if isinstance(module, PopulationDropout):
            streams += module.streams
    return kept | {f"stream {i}": each.get_state() for i, each in enumerate(streams)}


@pytest.mark.parametrize("name", list(RULES))
@pytest.mark.parametrize("steps", [0, 2])
def test_a_measurement_changes_no_state(steps: int, name: str) -> None:
    network, _ = network_and_modules(noisy)
    rule = RULES[name]()
    for step in range(steps):
        rule.compute_updates(network, *batch(seed=step), step)
    before = state_of(network)
    gradient_alignment(rule, network, *batch(seed=9), list(network.layers))
    after = state_of(network)
    assert before.keys() == after.keys()
    for key, value in before.items():
        assert torch.equal(value, after[key]), key


def test_updates_and_gradient_use_the_same_dropout() -> None:
    network, _ = network_and_modules(noisy)
    for layer in network.layers.values():
        layer.backward_weight = layer.weight.detach().clone()
    found = gradient_alignment(
        RULES["feedback_alignment"](), network, *batch(), list(network.layers)
    )
    assert (found["gradient_angle"] < 1e-6).all()


RULE_SETTINGS: list[tuple[str, dict[str, Any]]] = [
    *((name, {}) for name in RULES),
    *(
        ("sign_symmetry", {"magnitudes": kind, "gain": 2.0})
        for kind in ("uniform", "fixed", "batchwise")
    ),
    ("weight_mirror", {"delay": 2}),
]


CASES = [
    (net, *each)
    for each in RULE_SETTINGS
    for net in ("mlp", "knet4")
    if net == "mlp" or not RULES[each[0]].dense_only
]


@pytest.mark.parametrize(("net", "name", "settings"), CASES)
def test_visits_do_not_change_training(net: str, name: str, settings: dict[str, Any]) -> None:
    ends: list[list[Tensor]] = []
    visit: Callable[[Any, int], Any]
    for visit in (lambda trainer, step: None, lambda trainer, step: trainer.visit(step, step)):
        many = {
            "rule_settings": settings,
            "optimizer_settings": {"learning_rate": 1e-3, "noise": 0.1},
        }
        trainer = trainer_of(*(subject(name, net, number, **many) for number in range(2)))
        for step, batch_ in zip(range(4), trainer.batches(), strict=False):
            visit(trainer, step)
            trainer.training_step(*batch_, step)
        kept = [
            *forward_weights(trainer),
            *trainer.population.buffers(),
            *trainer.network.memory.values(),
        ]
        ends.append(kept + backward_weights(trainer))
    for without, visited in zip(*ends, strict=True):
        assert torch.equal(without, visited)
