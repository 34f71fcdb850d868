from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from tests.protocol.texts import SMALL, complaints, small
from virtuallab import seeds
from virtuallab.protocol import expand, read_text
from virtuallab.subject.subject import Subject

CROSSED = ("replicates: 2", "seeds: {model: 3, data: 2}")
OF_MODEL = (seeds.INITIAL_WEIGHTS, seeds.FEEDBACK_WEIGHTS, seeds.DROPOUT, seeds.RULE_NOISE)
OF_DATA = (seeds.DATA_ORDER, seeds.AUGMENTATION)


def crossed(*overrides: str) -> tuple[Subject, ...]:
    return expand(read_text(small(CROSSED), overrides=overrides))


def sharing(subjects: tuple[Subject, ...], purpose: str) -> set[frozenset[Any]]:
    """Model and data seeds of the subjects that share each owner of a stream."""
    found: dict[str, set[Any]] = {}
    for each in subjects:
        owner, _ = each.stream(purpose)
        found.setdefault(owner, set()).add((each.model_seed, each.data_seed))
    return {frozenset(seeds_of) for seeds_of in found.values()}


def test_every_model_seed_occurs_with_every_data_seed_in_each_rule() -> None:
    subjects = crossed("subjects.batch_size=[8, 16]")
    counts = Counter((s.label, s.batch_size, s.model_seed, s.data_seed) for s in subjects)
    assert len(subjects) == len(counts) == 2 * 2 * 6
    assert {(model, data) for _, _, model, data in counts} == {
        (model, data) for model in range(3) for data in range(2)
    }
    assert len({each.key for each in subjects}) == len(subjects)


def test_all_rules_and_batch_sizes_have_the_streams_of_their_seeds() -> None:
    subjects = crossed("subjects.batch_size=[8, 16]")
    for purpose in OF_MODEL:
        same_model = {frozenset({(model, 0), (model, 1)}) for model in range(3)}
        assert sharing(subjects, purpose) == same_model
    for purpose in OF_DATA:
        same_data = {frozenset((model, data) for model in range(3)) for data in range(2)}
        assert sharing(subjects, purpose) == same_data
    assert len({each.pair for each in subjects}) == 3


def test_networks_and_tasks_share_no_seed() -> None:
    subjects = crossed("subjects.architectures=[mlp, {name: mlp, hidden: [9]}]")
    for purpose in (*OF_MODEL, *OF_DATA):
        of: dict[str, set[object]] = {}
        for each in subjects:
            of.setdefault(each.stream(purpose)[0], set()).add(each.architecture)
        assert all(len(networks) == 1 for networks in of.values())


def test_drawn_settings_belong_to_each_subject() -> None:
    drawn = "subjects.optimizer={name: sgd, learning_rate: {log_uniform: [0.01, 0.1]}}"
    rates = {each.optimizer.learning_rate for each in crossed(drawn)}
    assert len(rates) == 2 * 6


def test_seeds_of_more_models_leave_the_others_as_they_are() -> None:
    fewer, more = crossed(), crossed("subjects.seeds.model=4")
    assert {each.key for each in fewer} < {each.key for each in more}


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        (("replicates: 2", "replicates: 2\n  seeds: {model: 2, data: 2}"),
         "subjects.replicates: seeds give the number of subjects of each rule."),
        (("replicates: 2", "seeds: {model: 2, data: 2}\n  paired: [dropout]"),
         "subjects.paired: seeds are given, which already pair subjects"),
        (("replicates: 2", "seeds: {model: 2}"), "subjects.seeds.data: missing key."),
        (("replicates: 2", "seeds: {model: 0, data: 2}"), "subjects.seeds.model: should be"),
        (("replicates: 2", "seeds: {model: 2, data: 2}\n  curriculum: {name: imbalanced, "
          "ratio: {uniform: [2.0, 5.0]}}"), "subjects.seeds: "),
    ],
)  # fmt: skip
def test_what_does_not_agree_with_seeds_is_refused(changes: tuple[str, str], fault: str) -> None:
    assert any(fault in each for each in complaints(small(changes)))


def test_too_many_seeds_are_named_as_such() -> None:
    [fault] = complaints(small(("replicates: 2", "seeds: {model: 1000000, data: 2}")))
    assert "subjects.seeds: these are 4,000,000 subjects" in fault
    assert "(rules with their values and seeds 4,000,000)" in fault
    assert fault.endswith("Give fewer values or seeds.")


def test_the_small_protocol_with_seeds_has_no_faults() -> None:
    assert small(CROSSED) != SMALL
    assert complaints(small(CROSSED)) == []
