"""Training in mixed precision: bfloat16 for signals, float32 for what lasts."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from tests.subject.training.test_device import WITHOUT_A_GPU
from tests.subject.training.test_trainer import NETS, default_network, subject, visits_of
from virtuallab import seeds
from virtuallab.errors import UserError
from virtuallab.registry import OPTIMIZERS, RULES
from virtuallab.subject.pretraining import Pretraining
from virtuallab.subject.rule import Updates
from virtuallab.subject.subject import Cohort, Subject
from virtuallab.subject.training import trainer as module
from virtuallab.subject.training.trainer import CohortTrainer

ROUNDED = [name for name in RULES if RULES[name].allows_mixed_precision]
REFUSED = [name for name in RULES if not RULES[name].allows_mixed_precision]
# bfloat16 has 8 significant bits, so that a fraction of about 2**-8 of the units have another sign
# before a ReLU, or another largest input of a pooling: their derivative is another one. The error
# of a step is the root of this fraction, 1/16, for each of the three hidden layers.
TOLERANCE = 3 / 16


def both(rule: str, net: str | None = None, **options: Any) -> tuple[list[Subject], list[Subject]]:
    """Two subjects in single precision, and in mixed precision with the same random streams."""
    single = [
        replace(
            subject(rule, net, number),
            pair=f"pair {number}",
            paired=tuple(seeds.PAIRABLE),
            batch_size=64,
            **options,
        )
        for number in range(2)
    ]
    return single, [replace(each, precision="mixed") for each in single]


def updates_of(subjects: list[Subject]) -> tuple[CohortTrainer, Updates]:
    """One step of the rule on the first batch."""
    trainer = CohortTrainer(Cohort(tuple(subjects)), torch.float32, "cpu")
    first = trainer.rule.first_forward_step
    updates = trainer.compute_updates(*next(trainer.batches()), first)
    assert updates.forward is not None
    return trainer, updates


def test_only_rules_that_follow_small_differences_are_refused() -> None:
    assert REFUSED == ["node_perturbation", "predictive_coding", "weight_perturbation"]


@pytest.mark.parametrize("rule", REFUSED)
def test_a_rule_that_follows_small_differences_is_refused(rule: str) -> None:
    _, mixed = both(rule)
    with pytest.raises(UserError, match=rf"rule '{rule}' follows small differences.*'precision: s"):
        CohortTrainer(Cohort(tuple(mixed)), torch.float32, "cpu")


@pytest.mark.parametrize("net", ["mlp", "knet4", "knet4-lrn"])
@pytest.mark.parametrize("rule", ROUNDED)
def test_a_step_is_close_to_that_of_single_precision(rule: str, net: str) -> None:
    if net != "mlp" and default_network(rule) == "mlp":
        pytest.skip("for dense layers only")
    (trainer, exact), (rounded, found) = map(updates_of, both(rule, net))
    torch.testing.assert_close(found.losses, exact.losses, rtol=0.01, atol=0)
    assert found.forward is not None
    assert exact.forward is not None
    pairs = [*zip(found.forward, exact.forward, trainer.network.parameters, strict=True)]
    if found.backward is not None:
        pairs += zip(found.backward, exact.backward or (), trainer.backward_weights, strict=True)
    for step, wanted, weight in pairs:
        assert step.dtype == torch.float32
        if weight.dim() > 2:  # of kernels; biases before a batch normalisation have no gradient
            assert float((step - wanted).norm()) <= TOLERANCE * float(wanted.norm())
    for name, memory in rounded.network.memory.items():
        assert memory.dtype == torch.float32, name
    readout = trainer.network.index_of(trainer.network.readout.weight)
    assert not torch.equal(found.forward[readout], exact.forward[readout])


@pytest.mark.parametrize("rule", ["backprop", "feedback_alignment", "information_alignment"])
def test_subjects_learn_as_in_single_precision(rule: str) -> None:
    faster = OPTIMIZERS["sgd"](learning_rate=0.05)
    performance = []
    for subjects in both(rule, "mlp", steps=150, optimizer=faster):
        last = visits_of(subjects, 150)[-1]
        performance.append(last.evaluation["validation_performance"].mean())
    assert min(performance) > 0.8, "chance is 0.1"
    assert performance[1] == pytest.approx(performance[0], abs=0.05)


def test_parameters_and_states_of_optimizers_stay_in_float32() -> None:
    adam = OPTIMIZERS["adam"](learning_rate=0.01)
    _, mixed = both("information_alignment", optimizer=adam)
    trainer = CohortTrainer(Cohort(tuple(mixed)), torch.float32, "cpu")
    trainer.training_step(*next(trainer.batches()), 0)
    states = [*trainer.optimizer_state.values(), *trainer.feedback_optimizer_state.values()]
    kept = [tensor for state in states if isinstance(state, list) for tensor in state]
    for tensor in [*trainer.network.parameters, *trainer.backward_weights, *kept]:
        assert tensor.dtype == torch.float32
    weight = trainer.network.readout.weight.detach()
    assert not torch.equal(weight, weight.bfloat16().float()), "not rounded between steps"


def test_an_evaluation_is_that_of_single_precision() -> None:
    single, mixed = (visits_of(each)[0] for each in both("information_alignment"))
    assert np.array_equal(single.state, mixed.state)
    for name, values in single.evaluation.items():
        assert np.array_equal(mixed.evaluation[name], values, equal_nan=True), name


def test_training_is_repeated_bit_for_bit_and_differs_from_single_precision() -> None:
    single, mixed = both("information_alignment")
    once, twice, other = (visits_of(each)[-1].state for each in (mixed, mixed, single))
    assert np.array_equal(once, twice)
    assert not np.array_equal(once, other)


def test_a_subject_that_diverges_leaves_its_neighbour_as_it_is() -> None:
    _, mixed = both("backprop")
    wild = [mixed[0], replace(mixed[1], optimizer=OPTIMIZERS["sgd"](learning_rate=1e38))]
    calm, beside = (visits_of(each)[-1].state for each in (mixed, wild))
    assert np.isnan(beside[1]).all()
    assert np.array_equal(calm[0], beside[0])


def test_pretraining_is_in_the_precision_of_the_subject() -> None:
    _, [one, _] = both("backprop", start_from=Pretraining(steps=3))
    assert one.pretrained is not None
    assert one.pretrained.precision == "mixed"
    single = replace(one, precision="single")
    states = [visits_of([each])[0].state for each in (one, single)]
    assert not np.array_equal(*states)


def test_single_precision_uses_no_context_of_mixed_precision(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    entered: list[str] = []
    made = module.mixed_precision
    monkeypatch.setattr(module, "mixed_precision", lambda d: entered.append(d) or made(d))
    single, mixed = both("backprop")
    updates_of(single)
    assert entered == []
    updates_of(mixed)
    assert entered == ["cpu"]


@pytest.mark.parametrize("rule", ["backprop", "kolen_pollack", "direct_feedback_alignment", "bcm"])
def test_rounded_updates_are_made_on_the_device_of_the_subjects(rule: str) -> None:
    _, mixed = both(rule)
    trainer = CohortTrainer(Cohort(tuple(mixed)), torch.float32, "cpu")
    batch = next(trainer.batches())
    with torch.device("meta"):  # as in test_device
        updates = trainer.compute_updates(*batch, 0)
    assert updates.losses.device.type == "cpu"


@pytest.mark.gpu
@WITHOUT_A_GPU
@pytest.mark.parametrize("net", NETS)
@pytest.mark.parametrize("rule", ROUNDED)
def test_a_gpu_learns_in_mixed_precision_as_the_processor_does(rule: str, net: str) -> None:
    if net != "mlp" and default_network(rule) == "mlp":
        pytest.skip("for dense layers only")
    _, mixed = both(rule, net)
    batches = next(CohortTrainer(Cohort(tuple(mixed)), torch.float32, "cpu").batches())
    steps = []
    for device in ("cpu", "cuda"):
        trainer = CohortTrainer(Cohort(tuple(mixed)), torch.float32, device)
        moved = (each.to(device) for each in batches)
        updates = trainer.compute_updates(*moved, trainer.rule.first_forward_step)
        assert updates.forward is not None
        assert {each.dtype for each in updates.forward} == {torch.float32}
        steps.append(torch.cat([e.flatten() for e in updates.forward if e.dim() > 2]).cpu())
    # Kernels round after sums in another order, so the two differ as either from float32.
    assert float((steps[0] - steps[1]).norm()) <= TOLERANCE * float(steps[0].norm())
