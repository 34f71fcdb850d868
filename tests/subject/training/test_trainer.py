from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from virtuallab import seeds
from virtuallab.registry import ARCHITECTURES, OPTIMIZERS, RULES, TASKS
from virtuallab.subject.network.initialization import forward_network
from virtuallab.subject.network.parameter_layout import parameter_layout
from virtuallab.subject.subject import Cohort, Subject
from virtuallab.subject.training.outcome import Visit
from virtuallab.subject.training.trainer import CohortTrainer, train

TASK = TASKS["digits"](train_images=200, validation_images=50, probe_images=20)
NETS = {
    "mlp": ARCHITECTURES["mlp"](hidden=(12,)),
    "knet4": ARCHITECTURES["knet4"](channels=(3, 4, 4)),
    "knet4-lrn": ARCHITECTURES["knet4"](channels=(3, 4, 4), normalisation="local_response"),
}


# At larger rates perturbation rules amplify rounding errors, and do not learn either.
RATE_FACTORS = {
    "node_perturbation": 0.05,
    "weight_perturbation": 1e-3,
    "reward_modulated_hebbian": 1e-3,
}


def default_network(rule: str) -> str:
    """Network for which the rule is defined."""
    return "mlp" if RULES[rule].dense_only else "knet4"


MATCHES = [
    (rule, net) for rule in RULES for net in NETS if net == "mlp" or default_network(rule) != "mlp"
]


def subject(
    rule: str, architecture: str | None = None, number: int = 0, **optimizer: float
) -> Subject:
    name = "adam" if "beta1" in optimizer else "sgd"
    rate = 0.01 * (1 + number % 7) * RATE_FACTORS.get(rule, 1.0)
    settings = {"learning_rate": rate} | optimizer
    return Subject(
        architecture=NETS[architecture or default_network(rule)],
        task=TASK,
        rule=RULES[rule](),
        optimizer=OPTIMIZERS[name](**settings),
        label=rule,
        batch_size=16,
        steps=20,
        replicate=number,
        seed=5,
    )


def visits_of(subjects: list[Subject], steps: int = 20, **options: object) -> list[Visit]:
    visits: list[Visit] = []
    train(Cohort(tuple(subjects)), [0, steps // 2, steps], visits.append, **options)
    return visits


def plain_training(
    one: Subject, optimizer: torch.optim.Optimizer, module: nn.Module, steps: int
) -> None:
    """Ordinary training loop over the same images in the same order."""
    images = TASK.train()
    stream = seeds.generator(one.seed, one.key, seeds.DATA_ORDER)
    step = 0
    while True:
        order = torch.from_numpy(stream.permutation(len(images.labels)))
        for first in range(0, len(order) - one.batch_size + 1, one.batch_size):
            if step == steps:
                return
            which = order[first : first + one.batch_size]
            loss = nn.functional.cross_entropy(
                module(images.stimuli[which].double()), images.labels[which]
            )
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            step += 1


@pytest.mark.parametrize("architecture", NETS)
@pytest.mark.parametrize("name", ["sgd", "nesterov", "adam"])
def test_fifty_steps_of_one_subject_equal_plain_torch(architecture: str, name: str) -> None:
    rate = {"learning_rate": 0.02, "weight_decay": 1e-3}
    if name == "adam":
        one = subject("backprop", architecture, beta1=0.8, **rate)
    else:
        one = subject("backprop", architecture, nesterov=name == "nesterov", **rate)
    module = forward_network(one).double()
    made = {
        "sgd": lambda p: torch.optim.SGD(p, 0.02, momentum=0.9, weight_decay=1e-3),
        "nesterov": lambda p: torch.optim.SGD(p, 0.02, 0.9, weight_decay=1e-3, nesterov=True),
        "adam": lambda p: torch.optim.Adam(p, 0.02, (0.8, 0.999), weight_decay=1e-3),
    }
    plain_training(one, made[name](module.parameters()), module, 50)
    found = visits_of([one], 50, dtype=torch.float64)[-1].state[0]
    state = module.state_dict()
    for entry in parameter_layout(one.architecture, one.task).entries:
        expected = state[entry.name].numpy().ravel()
        np.testing.assert_allclose(found[entry.start : entry.stop], expected, rtol=0, atol=1e-10)


@pytest.mark.parametrize(("rule", "architecture"), MATCHES)
def test_a_subject_does_not_depend_on_its_cohort(rule: str, architecture: str) -> None:
    subjects = [subject(rule, architecture, number) for number in range(16)]
    together = visits_of(subjects, dtype=torch.float64)
    for place in (0, 7, 15):
        alone = visits_of([subjects[place]], dtype=torch.float64)
        for one, all_ in zip(alone, together, strict=True):
            np.testing.assert_allclose(one.state[0], all_.state[place], rtol=0, atol=1e-9)
            for name, values in one.evaluation.items():
                np.testing.assert_allclose(
                    values[0], all_.evaluation[name][place], rtol=0, atol=1e-6
                )


@pytest.mark.parametrize("rule", list(RULES))
def test_training_is_reproducible_bit_for_bit(rule: str) -> None:
    subjects = [subject(rule, number=number) for number in range(4)]
    first, second = visits_of(subjects), visits_of(subjects)
    for a, b in zip(first, second, strict=True):
        np.testing.assert_array_equal(a.state, b.state)


def test_training_does_not_advance_torchs_global_stream() -> None:
    before = torch.get_rng_state()
    visits_of([subject("information_alignment", number=number) for number in range(3)], 4)
    assert torch.equal(torch.get_rng_state(), before)


def test_no_two_subjects_share_a_stream() -> None:
    subjects = [subject(rule, number=number) for rule in RULES for number in range(3)]
    starts = np.stack([visits_of([one], 2)[0].state[0, :20] for one in subjects])
    assert len(np.unique(starts, axis=0)) == len(subjects)
    orders = [
        seeds.generator(one.seed, one.key, seeds.DATA_ORDER).permutation(50) for one in subjects
    ]
    assert len(np.unique(np.stack(orders), axis=0)) == len(subjects)


def stream_draws(one: Subject) -> dict[str, bytes]:
    """First draws of each stream of a subject in training."""
    trainer = CohortTrainer(Cohort((one,)), torch.float32, "cpu")
    like, layers = torch.zeros(4, 1, 5), trainer.network.layers.values()
    numbers = {
        "initial_weights": trainer.layout.flatten(trainer.population).detach(),
        "feedback_weights": torch.cat([layer.backward_weight.flatten() for layer in layers]),
        "data_order": next(trainer.batches())[0],
        "rule_noise": trainer.network.noise_like(like),
        "update_noise": trainer.update_noise.for_purpose("forward").normal((5,), like),
    }
    return {name: each.numpy().tobytes() for name, each in numbers.items()}


NAMED = ["initial_weights", "feedback_weights", "data_order", "rule_noise", "update_noise"]


@pytest.mark.parametrize("paired", [(), *((name,) for name in NAMED), ("data_order", NAMED[0])])
def test_subjects_of_a_pair_share_the_draws_that_are_named_and_no_others(
    paired: tuple[seeds.PairedStream, ...],
) -> None:
    rules = ("feedback_alignment", "information_alignment")
    shared = {"pair": "one", "paired": paired} if paired else {}
    one, other = (
        stream_draws(replace(subject(rule, "mlp", number), **shared))
        for number, rule in enumerate(rules)
    )
    assert {name for name in NAMED if one[name] == other[name]} == {*paired}


def test_feedback_alignment_through_the_forward_weights_equals_backprop() -> None:
    one = subject("feedback_alignment")
    trainer = CohortTrainer(Cohort((one,)), torch.float64, "cpu")
    backprop = CohortTrainer(
        Cohort((replace(one, rule=RULES["backprop"]()),)), torch.float64, "cpu"
    )
    trainer.layout.load(backprop.population, trainer.layout.flatten(trainer.population))
    for step, batch in zip(range(10), trainer.batches(), strict=False):
        for layer in trainer.network.layers.values():
            layer.backward_weight = layer.weight.detach().clone()
        trainer.training_step(*batch, step)
        backprop.training_step(*batch, step)
    torch.testing.assert_close(
        trainer.layout.flatten(trainer.population),
        backprop.layout.flatten(backprop.population),
        rtol=0,
        atol=0,
    )


def test_backward_weights_are_independent_draws_from_the_same_distribution() -> None:
    many = tuple(subject("feedback_alignment", number=number) for number in range(40))
    trainer = CohortTrainer(Cohort(many), torch.float64, "cpu")
    for layer in trainer.network.layers.values():
        w, b = layer.weight.detach().flatten(), layer.backward_weight.flatten()
        assert abs(np.corrcoef(w, b)[0, 1]) < 4 / np.sqrt(len(w))
        assert w.std().item() == pytest.approx(b.std().item(), rel=0.15)


def test_backward_weights_change_by_information_but_not_by_feedback_alignment() -> None:
    for rule, moves in (("feedback_alignment", False), ("information_alignment", True)):
        trainer = CohortTrainer(Cohort((subject(rule),)), torch.float64, "cpu")
        before = [layer.backward_weight.clone() for layer in trainer.network.layers.values()]
        for step, batch in zip(range(3), trainer.batches(), strict=False):
            trainer.training_step(*batch, step)
        after = [layer.backward_weight for layer in trainer.network.layers.values()]
        assert [not torch.equal(a, b) for a, b in zip(before, after, strict=True)] == [moves] * 4


@pytest.mark.parametrize("rule", list(RULES))
def test_a_subject_that_diverges_is_marked_and_does_not_affect_others(rule: str) -> None:
    net = "mlp" if default_network(rule) == "mlp" else "knet4-lrn"
    rate = 0.01 * RATE_FACTORS.get(rule, 1.0)
    subjects = [subject(rule, net, number) for number in range(5)]
    diverging = [replace(one, optimizer=OPTIMIZERS["sgd"](learning_rate=rate)) for one in subjects]
    diverging[2] = replace(diverging[2], optimizer=OPTIMIZERS["sgd"](learning_rate=1e38))
    small = OPTIMIZERS["sgd"](learning_rate=rate / 10)
    stable = [*diverging[:2], replace(diverging[2], optimizer=small), *diverging[3:]]
    visits: list[Visit] = []
    outcome = train(Cohort(tuple(diverging)), [0, 10, 20], visits.append)
    reference: list[Visit] = []
    train(Cohort(tuple(stable)), [0, 10, 20], reference.append)
    assert outcome.diverged_at[2] > 0
    assert outcome.diverged_in[2] in ("conv1", "conv2", "conv3", "fc1", "fc2", "fc4")
    assert np.delete(outcome.diverged_at, 2).tolist() == [-1] * 4
    assert np.isnan(visits[-1].state[2]).all()
    assert np.isfinite(visits[0].state[2]).all()
    for one, other in zip(visits, reference, strict=True):
        np.testing.assert_array_equal(np.delete(one.state, 2, 0), np.delete(other.state, 2, 0))


def test_a_cohort_of_which_every_subject_has_diverged_is_not_trained_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made: list[int] = []
    step_of = CohortTrainer.training_step

    def counted(trainer: CohortTrainer, stimuli: Tensor, labels: Tensor, step: int) -> None:
        made.append(step)
        step_of(trainer, stimuli, labels, step)

    monkeypatch.setattr(CohortTrainer, "training_step", counted)
    subjects = [subject("backprop", "mlp", number, learning_rate=1e38) for number in range(3)]
    visits: list[Visit] = []
    outcome = train(Cohort(tuple(subjects)), [0, 10, 20], visits.append)
    assert made == list(range(outcome.diverged_at.max() + 1))
    assert len(made) < 10
    assert [visit.step for visit in visits] == [0, 10, 20]
    for visit in visits[1:]:
        assert np.isnan(visit.state).all()
        assert all(np.isnan(values).all() for values in visit.evaluation.values())


def test_trained_networks_exceed_chance_and_untrained_ones_do_not() -> None:
    subjects = [subject("backprop", "mlp", number) for number in range(6)]
    visits = visits_of(subjects, 120)
    untrained, trained = (
        v.evaluation["validation_performance"].mean() for v in (visits[0], visits[-1])
    )
    assert untrained < 0.25
    assert trained > 0.6


def test_a_cohort_of_different_kinds_is_rejected() -> None:
    with pytest.raises(ValueError, match="share architecture"):
        Cohort((subject("backprop", "mlp"), subject("backprop", "knet4")))
