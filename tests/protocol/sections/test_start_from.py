"""What subjects learn before visit 0 is read, counted and drawn like all else."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.protocol.texts import SMALL, complaints
from virtuallab.errors import ProtocolError
from virtuallab.protocol import expand, read_text
from virtuallab.subject.subject import Subject

OTHER = "{name: digits, train_images: 320}"
FULL = f"task: {OTHER}, rule: backprop, optimizer: {{name: sgd, learning_rate: 0.1}}"


def subjects(start: str, *overrides: str) -> tuple[Subject, ...]:
    return expand(read_text(SMALL, overrides=(f"subjects.start_from={{{start}}}", *overrides)))


def starts(start: str, *overrides: str) -> list[Any]:
    return [subject.start_from for subject in subjects(start, *overrides)]


def test_without_it_subjects_are_those_of_before() -> None:
    assert {subject.start_from for subject in expand(read_text(SMALL))} == {None}
    assert "start_from" not in read_text(SMALL).resolved()["subjects"]


def test_any_part_may_be_left_out() -> None:
    assert {(s.steps, s.task, s.rule, s.optimizer) for s in starts("")} == {(100, None, None, None)}
    [start] = set(starts("rule: backprop, steps: 7"))
    assert (start.steps, start.rule.name, start.task) == (7, "backprop", None)


def test_epochs_are_passes_through_the_images_of_the_pretraining() -> None:
    assert {s.steps for s in starts(f"{FULL}, epochs: 3")} == {3 * 10}
    assert {s.steps for s in starts("epochs: 3")} == {3 * (1200 // 32)}
    sizes = {
        (s.batch_size, s.start_from.steps)  # type: ignore[union-attr]
        for s in subjects(f"{FULL}, epochs: 3", "subjects.batch_size=[16, 32]")
    }
    assert sizes == {(16, 60), (32, 30)}


def test_lists_multiply_and_distributions_are_drawn_for_each_subject() -> None:
    rates = "optimizer: {name: sgd, learning_rate: %s}, rule: backprop, steps: 5"
    plain = len(expand(read_text(SMALL)))
    many = subjects(rates % "[0.1, 0.2]")
    assert len(many) == 2 * plain
    assert len({subject.key for subject in many}) == len(many)
    drawn = starts(rates % "{uniform: [0.1, 0.2]}")
    assert len({start.optimizer.learning_rate for start in drawn}) == plain
    read = read_text(SMALL, overrides=(f"subjects.start_from={{{rates % '[0.1, 0.2]'}}}",))
    assert read.subjects.count == len(many)
    assert expand(read_text(json.dumps(read.resolved()))) == many


def test_a_pair_has_one_pretraining() -> None:
    paired = "subjects.paired=initial_weights"
    assert len({(s.pair, s.start_from) for s in subjects(f"{FULL}, steps: 5", paired)}) == 2
    owners = {
        s.pretrained.stream("data order")  # type: ignore[union-attr]
        for s in subjects(f"{FULL}, steps: 5", paired)
    }
    assert len(owners) == 2
    for part in ("steps: 5", "rule: backprop, steps: 5", "optimizer: sgd"):
        with pytest.raises(ProtocolError, match="Give start_from a rule and an optimizer"):
            subjects(part, paired)
    subjects("steps: 5", "subjects.paired=data_order")
    drawn = "rule: backprop, optimizer: {name: sgd, learning_rate: {uniform: [0.1, 0.2]}}, steps: 5"
    with pytest.raises(ProtocolError, match=r"'optimizer\.learning_rate' is drawn"):
        subjects(drawn, paired)
    of_pairs: dict[str, set[Any]] = {}
    for subject in subjects(drawn, "subjects.paired=[initial_weights, settings]"):
        of_pairs.setdefault(subject.pair, set()).add(subject.start_from)
    assert {len(each) for each in of_pairs.values()} == {1}


@pytest.mark.parametrize(
    ("start", "fault"),
    [
        ("epochs: 1, steps: 2", "start_from.steps: epochs is given too. Keep one of the two."),
        ("step: 2", "start_from.step: unknown key. Did you mean 'steps'?"),
        ("steps: 0", "start_from.steps: should be"),
        ("rule: backdrop", "start_from.rule: no rule is called 'backdrop'. Did you mean "
         "'backprop'"),
        ("task: {name: digits, train_images: 20}", "start_from.task: a batch of 32 cannot be "
         "filled: there are 20 training images. Raise train_images."),
    ],
)  # fmt: skip
def test_a_fault_is_named_with_its_key(start: str, fault: str) -> None:
    [told] = complaints(SMALL, f"subjects.start_from={{{start}}}")
    assert fault in told
