"""Subjects may start from what they learned before visit 0."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import pytest
import torch

from tests.subject.cohorts import backward_weights, subject, trainer_of
from virtuallab import seeds
from virtuallab.registry import CURRICULA, OPTIMIZERS, RULES, SCHEDULES, TASKS
from virtuallab.subject.network.parameter_layout import floating_tensors, parameter_layout
from virtuallab.subject.pretraining import Pretraining
from virtuallab.subject.subject import Cohort, Subject, kind
from virtuallab.subject.task import Task
from virtuallab.subject.training.outcome import TrainingOutcome, Visit
from virtuallab.subject.training.trainer import CohortTrainer, train

STEPS = 150
START = Pretraining(
    steps=STEPS, rule=RULES["backprop"](), optimizer=OPTIMIZERS["sgd"](learning_rate=0.05)
)


@dataclass(frozen=True, kw_only=True)
class Pairs(Task):
    """The digits, two of which are one class."""

    name: ClassVar[str] = "pairs_of_digits"
    classes: ClassVar[int] = 5
    stimulus_shape: ClassVar[tuple[int, int, int]] = (1, 8, 8)

    def images(self) -> tuple[np.ndarray, np.ndarray]:
        stimuli, labels = TASKS["digits"]().images()
        return stimuli, labels // 2


PAIRS = Pairs(train_images=100, validation_images=50, probe_images=20)


def visits(*subjects: Subject, steps: int = 2) -> tuple[list[Visit], TrainingOutcome]:
    seen: list[Visit] = []
    return seen, train(Cohort(subjects), [0, steps], seen.append)


def started(rule: str = "feedback_alignment", net: str = "mlp", **options: Any) -> Subject:
    return subject(rule, net, start_from=options.pop("start", START), **options)


def test_a_pretrained_subject_is_above_chance_at_visit_0_and_another_is_not() -> None:
    found = [visits(*cohort)[0][0].evaluation["validation_performance"] for cohort in (
        [started(number=n) for n in range(4)],
        [subject("feedback_alignment", number=n) for n in range(4)],
    )]  # fmt: skip
    assert found[0].min() > 0.5
    assert found[1].max() < 0.4


def test_visit_0_has_the_weights_and_running_averages_of_the_end_of_the_pretraining() -> None:
    one = started(net="knet4", start=replace(START, steps=8))
    assert one.pretrained is not None
    before: list[Visit] = []
    train(Cohort((one.pretrained,)), [0, 8], before.append)
    [first, _], _ = visits(one)
    np.testing.assert_array_equal(first.state, before[-1].state)
    assert not np.array_equal(first.state, before[0].state)
    averages = [
        e for e in parameter_layout(one.architecture, one.task).entries if "running" in e.name
    ]
    assert averages, "this network has running averages"


def test_the_read_out_of_other_classes_is_that_of_an_untrained_subject() -> None:
    one = started(start=replace(START, task=PAIRS))
    trained, untrained = trainer_of(one), trainer_of(one)
    before = dict(floating_tensors(untrained.population))
    assert one.pretrained is not None
    other = trainer_of(one.pretrained)
    trained.start_from([other])
    found, source = (
        dict(floating_tensors(trained.population)),
        dict(floating_tensors(other.population)),
    )
    names = list(found)
    for name in names[:-2]:
        assert found[name].equal(source[name])
    for name in names[-2:]:
        assert len(source[name][0]) == 5
        assert found[name].equal(before[name])


def test_a_pretraining_in_which_every_subject_has_diverged_ends(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made: list[int] = []
    step_of = CohortTrainer.training_step

    def counted(trainer: CohortTrainer, *batch: Any) -> None:
        made.append(batch[-1])
        step_of(trainer, *batch)

    monkeypatch.setattr(CohortTrainer, "training_step", counted)
    wild = Pretraining(steps=40, optimizer=OPTIMIZERS["sgd"](learning_rate=1e38))
    seen, outcome = visits(started(start=wild))
    assert 0 < len(made) < 10
    assert outcome.diverged_at.tolist() == [0]
    assert all(np.isnan(visit.state).all() for visit in seen)


def test_backward_weights_and_optimizers_are_those_of_a_fresh_subject() -> None:
    one = started("kolen_pollack")
    fresh, taken = trainer_of(one), trainer_of(one)
    assert one.pretrained is not None
    taken.start_from([trainer_of(one.pretrained)])
    for own, expected in zip(backward_weights(taken), backward_weights(fresh), strict=True):
        assert own.equal(expected)
    assert all(not each.any() for each in taken.optimizer_state["velocity"])


@pytest.mark.parametrize("paired", [("initial_weights",), ("initial_weights", "data_order")])
def test_a_pair_shares_its_pretraining_bit_for_bit_whatever_its_cohort(
    paired: tuple[seeds.PairedStream, ...],
) -> None:
    rules = ("backprop", "kolen_pollack")
    one, other = (
        replace(started(rule, number=n), pair="the pair", paired=paired)
        for n, rule in enumerate(rules)
    )
    third = replace(other, pair="another pair")
    alone, together = visits(one)[0], visits(third, other)[0]
    np.testing.assert_array_equal(alone[0].state[0], together[0].state[1])
    assert not np.array_equal(together[0].state[0], together[0].state[1])
    assert not np.array_equal(alone[1].state[0], together[1].state[1]), "then they learn apart"


def test_subjects_that_are_not_paired_have_a_pretraining_of_their_own() -> None:
    one, other = started("backprop"), started("kolen_pollack")
    assert not np.array_equal(visits(one)[0][0].state, visits(other)[0][0].state)
    data = replace(one, pair="p", paired=("data_order",))
    assert data.pretrained is not None
    assert data.pretrained.stream(seeds.DATA_ORDER)[0] == f"{data.key} before visit 0"


def test_all_streams_of_the_pretraining_differ_from_those_of_the_training() -> None:
    one = started()
    before = one.pretrained
    assert before is not None
    for purpose in set(seeds.PAIRABLE.values()):
        assert before.stream(purpose) != one.stream(purpose)
        assert before.stream(purpose)[0] == f"{one.key} before visit 0"


def test_what_is_not_given_is_the_subjects_own_except_order_and_schedule() -> None:
    feedback = OPTIMIZERS["adam"]()
    one = replace(
        started("kolen_pollack", start=Pretraining(steps=7)),
        curriculum=CURRICULA["blocked"](),
        schedule=SCHEDULES["cosine"](),
        feedback_optimizer=feedback,
    )
    before = one.pretrained
    assert before is not None
    assert (before.rule, before.optimizer, before.task) == (one.rule, one.optimizer, one.task)
    assert before.feedback_optimizer == feedback
    assert (before.steps, before.start_from) == (7, None)
    assert (before.curriculum.name, before.schedule.name) == ("shuffled", "constant")
    other = replace(one, start_from=START).pretrained
    assert other is not None
    assert other.feedback_optimizer is None


def test_a_subject_that_diverges_before_visit_0_is_marked_and_leaves_others_alone() -> None:
    wild = replace(START, optimizer=OPTIMIZERS["sgd"](learning_rate=1e30))
    stable, unstable = started(), started(number=1, start=wild)
    seen, outcome = visits(stable, unstable)
    assert outcome.diverged_at.tolist() == [-1, 0]
    assert outcome.diverged_in[0] is None
    assert outcome.diverged_in[1] in ("fc1", "fc2", "fc3")
    for visit in seen:
        assert np.isnan(visit.state[1]).all()
        assert np.isfinite(visit.state[0]).all()
        assert all(np.isnan(values[1]).all() for values in visit.evaluation.values())


def test_a_subject_does_not_depend_on_the_cohort_in_which_it_is_pretrained() -> None:
    many = [started(number=n, start=replace(START, steps=10)) for n in range(3)]
    seen: list[Visit] = []
    train(Cohort(tuple(many)), [0], seen.append, dtype=torch.float64)
    for place, one in enumerate(many):
        alone: list[Visit] = []
        train(Cohort((one,)), [0], alone.append, dtype=torch.float64)
        np.testing.assert_allclose(seen[0].state[place], alone[0].state[0], rtol=0, atol=1e-10)


def test_pretraining_is_part_of_an_identity_and_of_a_kind() -> None:
    plain = subject("backprop")
    assert "start_from" not in plain.identity
    short = replace(plain, start_from=Pretraining(steps=3))
    assert short.identity == {**plain.identity, "start_from": {"steps": 3}}
    named = replace(plain, start_from=START)
    assert named.identity["start_from"]["rule"] == {"name": "backprop"}
    assert len({kind(plain), kind(short), kind(named)}) == 3
    faster = replace(START, optimizer=OPTIMIZERS["sgd"](learning_rate=0.2))
    assert kind(named) == kind(replace(plain, start_from=faster)), "numbers may differ"
    assert START.name == "backprop on own"
