"""Backward weights of alignment rules: published gradients and schedules, without side effects."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from studies import angles
from tests.subject.cohorts import (
    NETS,
    assert_steps,
    backward_weights,
    batch,
    forward_weights,
    inputs,
    mlp,
    network_and_modules,
    part_of_subject,
    rule_of,
    subject,
    train_steps,
    trainer_of,
)
from virtuallab.registry import OPTIMIZERS, RULES
from virtuallab.subject.network.random_streams import RandomStreams
from virtuallab.subject.optimizer import apply_updates
from virtuallab.subject.rule import stack_settings
from virtuallab.subject.subject import Subject

STRENGTHS: dict[str, list[dict[str, Any]]] = {
    "information_alignment": [
        {"amp": 0.3, "null": 0.2, "decay": 0.1},
        {"amp": 0.1, "null": 0.0, "decay": 0.4},
    ],
    "symmetric_alignment": [{"self": 0.2, "decay": 0.3}, {"self": 0.5, "decay": 0.1}],
    "activation_alignment": [{"amp": 0.2, "sparse": 0.3}, {"amp": 0.5, "sparse": 0.1}],
    "weight_mirror": [
        {"amp": amp, "decay": decay, "activity": "own", "alternate": 0}
        for amp, decay in ((0.2, 0.3), (0.5, 0.1))
    ],
}


def maps(layer: nn.Module, x: Tensor) -> tuple[Callable[..., Tensor], Callable[..., Tensor]]:
    """Linear map of a plain layer without its bias, and the transposed map."""
    if isinstance(layer, nn.Linear):
        return F.linear, lambda z, b: z @ b
    assert isinstance(layer, nn.Conv2d)
    geometry = {"stride": layer.stride, "padding": layer.padding, "dilation": layer.dilation}
    return (
        lambda x, w: F.conv2d(x, w, **geometry),
        lambda z, b: torch.nn.grad.conv2d_input(x.shape, b, z, **geometry),
    )


def objective(layer: nn.Module, x: Tensor, b: Tensor, strengths: dict[str, Any], mean: bool) -> Any:
    """Alignment objective of one layer of one subject, as published."""
    forward, back = maps(layer, x)
    w = layer.weight.detach()
    z, up = forward(x, w), forward(x, b)
    share = len(x) * (z[0, 0].numel() if mean else 1)
    terms = {
        "amp": -(z * up).sum() / share,
        "null": back(z, b).square().sum() / share,
        "sparse": up.square().sum() / share,
        "decay": b.square().sum(),
        "self": -(w * b).sum(),
    }
    return sum(strengths.get(name, 0.0) * term for name, term in terms.items())


@pytest.mark.parametrize("positions", ["mean", "sum"])
@pytest.mark.parametrize("net", NETS)
@pytest.mark.parametrize("name", STRENGTHS)
def test_backward_weights_follow_the_gradient_of_their_layers_objective(
    name: str, net: str, positions: str
) -> None:
    network, modules = network_and_modules(NETS[net])
    stimuli, labels = batch()
    places = {} if name == "symmetric_alignment" else {"positions": positions}
    rule = rule_of(name, *(each | places for each in STRENGTHS[name]))
    updates = rule.compute_updates(network, stimuli, labels, 0)
    for number, module in enumerate(modules):
        layer_inputs = inputs(module, part_of_subject(stimuli, labels, number)[0])
        expected = []
        for path, layer in network.layers.items():
            b = layer.backward_weight[number].clone().requires_grad_()
            value = objective(
                module.get_submodule(path),
                layer_inputs[path],
                b,
                STRENGTHS[name][number],
                positions == "mean",
            )
            expected.append(torch.autograd.grad(value, b)[0])
        assert_steps(updates.backward, number, expected)


@pytest.mark.parametrize("net", NETS)
@pytest.mark.parametrize("name", STRENGTHS)
def test_alignment_changes_no_forward_step(name: str, net: str) -> None:
    stimuli, labels = batch()
    network, _ = network_and_modules(NETS[net])
    plain, _ = network_and_modules(NETS[net])
    aligned = rule_of(name, *STRENGTHS[name]).compute_updates(network, stimuli, labels, 0)
    fixed = RULES["feedback_alignment"]().compute_updates(plain, stimuli, labels, 0)
    assert fixed.backward is None
    assert all(step.any() for step in aligned.backward)
    for a, b in zip(aligned.forward, fixed.forward, strict=True):
        assert torch.equal(a, b)


def test_layers_defined_in_another_order_than_used_receive_their_own_steps() -> None:
    class Reversed(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.second = nn.Linear(72, 72)
            self.first = nn.Linear(72, 72)
            self.readout = nn.Linear(72, 4)

        def forward(self, x: Tensor) -> Tensor:
            x = torch.relu(self.first(x.flatten(1)))
            return self.readout(torch.relu(self.second(x)))

    network, modules = network_and_modules(Reversed)
    stimuli, labels = batch()
    updates = rule_of("weight_mirror", *STRENGTHS["weight_mirror"]).compute_updates(
        network, stimuli, labels, 0
    )
    kolen = RULES["kolen_pollack"](decay=0.0).compute_updates(network, stimuli, labels, 0)
    for place, (path, layer) in enumerate(network.layers.items()):
        x = inputs(modules[0], part_of_subject(stimuli, labels, 0)[0])[path]
        w, b = modules[0].get_submodule(path).weight.detach(), layer.backward_weight[0]
        expected = -0.2 * w @ x.T @ x / len(x) + 2 * 0.3 * b
        torch.testing.assert_close(updates.backward[place][0], expected)
        torch.testing.assert_close(
            kolen.forward[network.index_of(layer.weight)], kolen.backward[place]
        )


@pytest.mark.parametrize(
    ("delay", "alternate", "table"),
    [
        (0, 0, ["both"] * 6),
        (2, 0, ["align", "align", "both", "both", "both", "both"]),
        (0, 1, ["align", "learn", "align", "learn", "align", "learn"]),
        (0, 2, ["align", "learn", "learn", "align", "learn", "learn"]),
        (3, 1, ["align", "align", "align", "align", "learn", "align"]),
    ],
)
def test_the_schedule_determines_which_weights_learn(
    delay: int, alternate: int, table: list[str]
) -> None:
    names = {(True, True): "both", (False, True): "align", (True, False): "learn"}
    rule = RULES["symmetric_alignment"](delay=delay, alternate=alternate)
    assert [names[rule.schedule(step)] for step in range(6)] == table
    assert table[rule.first_forward_step] != "align"
    assert set(table[: rule.first_forward_step]) <= {"align"}
    network, _ = network_and_modules(mlp)
    for step, entry in enumerate(table):
        updates = rule.compute_updates(network, *batch(), step)
        assert (updates.forward is not None) == (entry != "align")
        assert (updates.backward is not None) == (entry != "learn")


@pytest.mark.parametrize(
    ("ramp", "shares"),
    [
        ("constant", {0: (1, 1), 2: (1, 1), 5: (1, 1), 8: (1, 1), 9: (1, 1)}),
        ("linear", {0: (0.04, 4), 2: (0.04, 4), 5: (0.52, 2.5), 8: (1, 1), 9: (1, 1)}),
        ("exponential", {0: (0.04, 4), 2: (0.04, 4), 5: (0.2, 2), 8: (1, 1), 9: (1, 1)}),
    ],
)
def test_coefficients_ramp_between_two_times_for_each_subject(
    ramp: str, shares: dict[int, tuple[float, float]]
) -> None:
    times = {"ramp": ramp, "ramp_start": 0.2, "ramp_stop": 0.8}
    rule = rule_of(
        "symmetric_alignment",
        {"self": 0.3, "decay": 0.1, "ramp_from": 0.04, **times},
        {"self": 0.2, "decay": 0.4, "ramp_from": 4.0, **times},
    )
    network, _ = network_and_modules(mlp, length=10)
    for step, expected in shares.items():
        updates = rule.compute_updates(network, *batch(), step)
        for layer, found in zip(network.layers.values(), updates.backward, strict=True):
            w, b = layer.weight.detach(), layer.backward_weight
            torch.testing.assert_close(found[0], expected[0] * (0.2 * b[0] - 0.3 * w[0]))
            torch.testing.assert_close(found[1], expected[1] * (0.8 * b[1] - 0.2 * w[1]))


@pytest.mark.parametrize("optimizer", list(OPTIMIZERS))
@pytest.mark.parametrize("ramp", ["linear", "exponential"])
def test_ramps_work_with_every_optimizer_in_single_precision(ramp: str, optimizer: str) -> None:
    trainer = trainer_of(
        subject("information_alignment", optimizer=optimizer, rule_settings={"ramp": ramp}),
        dtype=torch.float32,
    )
    before = backward_weights(trainer)
    train_steps(trainer, 3)
    for a, b in zip(before, backward_weights(trainer), strict=True):
        assert b.dtype == torch.float32
        assert not torch.equal(a, b)


@pytest.mark.parametrize("net", ["mlp", "knet4"])
@pytest.mark.parametrize("optimizer", list(OPTIMIZERS))
@pytest.mark.parametrize("name", ["weight_mirror", "alignment"])
def test_weights_that_do_not_learn_at_a_step_do_not_change_under_any_optimizer(
    name: str, optimizer: str, net: str
) -> None:
    settings = {"alternate": 1, "delay": 1, "amp": 0.2, "decay": 0.1}
    trainer = trainer_of(
        subject(
            name,
            net,
            optimizer=optimizer,
            rule_settings=settings,
            optimizer_settings={"weight_decay": 0.1, "noise": 0.1},
        )
    )
    for step, batch_ in zip(range(8), trainer.batches(), strict=False):
        forward, backward = forward_weights(trainer), backward_weights(trainer)
        trainer.training_step(*batch_, step)
        learns = step in (2, 4, 6)
        for before, after in zip(forward, forward_weights(trainer), strict=True):
            assert torch.equal(before, after) != learns
        for before, after in zip(backward, backward_weights(trainer), strict=True):
            assert torch.equal(before, after) == learns


COMPOSED: dict[str, dict[str, Any]] = {
    "information_alignment": {"amp": 0.3, "null": 0.2, "decay": 0.1},
    "symmetric_alignment": {"self": 0.2, "decay": 0.1},
    "activation_alignment": {"amp": 0.2, "sparse": 0.1},
    "weight_mirror": {"amp": 0.2, "decay": 0.1, "activity": "noise", "alternate": 1},
}


@pytest.mark.parametrize("net", NETS)
@pytest.mark.parametrize("name", COMPOSED)
def test_a_rule_composed_of_primitives_equals_the_named_rule(name: str, net: str) -> None:
    ends = []
    for rule in (RULES[name](**COMPOSED[name]), RULES["alignment"](**COMPOSED[name])):
        network, _ = network_and_modules(NETS[net])
        optimizer = stack_settings([OPTIMIZERS["sgd"](learning_rate=0.05)] * 2, torch.float64)
        backward = [layer.backward_weight for layer in network.layers.values()]
        states = optimizer.init(network.parameters), optimizer.init(backward)
        for step in range(6):
            updates = rule.compute_updates(network, *batch(seed=step), step)
            with torch.no_grad():
                if updates.forward is not None:
                    apply_updates(
                        optimizer,
                        network.parameters,
                        updates.forward,
                        states[0],
                        RandomStreams([1, 2]),
                    )
                if updates.backward is not None:
                    apply_updates(
                        optimizer, backward, updates.backward, states[1], RandomStreams([1, 2])
                    )
        ends.append([*network.parameters, *backward])
    for named, composed in zip(*ends, strict=True):
        assert torch.equal(named, composed)


@pytest.mark.parametrize(
    ("alternate", "aligning"), [(0, [0, 1, 2, 3, 4, 5]), (1, [0, 1, 2, 3, 4, 5]), (2, [0, 2, 4])]
)
def test_with_equal_updates_the_forward_weights_learn_at_every_step(
    alternate: int, aligning: list[int]
) -> None:
    rule = RULES["weight_mirror"](alternate=alternate, equal="updates")
    assert [rule.schedule(step) for step in range(6)] == [(True, s in aligning) for s in range(6)]
    assert rule.first_forward_step == 0
    assert rule.forward_updates(6) == 6


@pytest.mark.parametrize(("delay", "alternate"), [(0, 0), (0, 1), (0, 2), (3, 1), (50, 0)])
def test_forward_updates_counts_the_steps_of_the_schedule(delay: int, alternate: int) -> None:
    rule = RULES["symmetric_alignment"](delay=delay, alternate=alternate)
    for steps in (0, 7, 20):
        assert rule.forward_updates(steps) == sum(rule.schedule(s)[0] for s in range(steps))
    assert RULES["backprop"]().forward_updates(20) == 20


@pytest.mark.parametrize(("equal", "updates"), [("steps", 5), ("updates", 10)])
def test_forward_weights_change_as_often_as_forward_updates_counts(
    equal: str, updates: int
) -> None:
    trainer = trainer_of(subject("weight_mirror", rule_settings={"equal": equal}))
    changed = 0
    for step, batch_ in zip(range(10), trainer.batches(), strict=False):
        before = forward_weights(trainer)
        trainer.training_step(*batch_, step)
        changed += any(
            not torch.equal(a, b) for a, b in zip(before, forward_weights(trainer), strict=True)
        )
    assert changed == updates


def test_the_default_of_equal_is_not_part_of_an_identity() -> None:
    one, other = (
        subject("weight_mirror", rule_settings=settings)
        for settings in ({"equal": "steps"}, {"equal": "updates"})
    )
    assert "equal" not in one.identity["rule"]
    assert other.identity["rule"]["equal"] == "updates"
    assert one.key != other.key


def test_equal_updates_cannot_be_combined_with_a_delay() -> None:
    with pytest.raises(ValueError, match="'delay' holds them back"):
        RULES["information_alignment"](equal="updates", delay=3)


@pytest.mark.slow
def test_information_alignment_improves_on_feedback_alignment_in_the_quickstart() -> None:
    """Six subjects of one network; studies/angles.py computes the table of both networks."""
    kept: dict[str, list[Subject]] = {}
    for each in angles.subjects():
        if each.architecture.name == "knet5" and each.replicate < 6:
            kept.setdefault(each.label, []).append(each)
    fixed, aligned = (
        angles.at_the_end(kept[name]).evaluation["total_gradient_angle"].mean()
        for name in ("feedback_alignment", "information_alignment")
    )
    assert aligned < fixed - 15
