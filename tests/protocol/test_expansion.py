from __future__ import annotations

import json
import random
from dataclasses import replace
from itertools import combinations
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.protocol.texts import SMALL, protocol
from virtuallab import seeds
from virtuallab.errors import ProtocolError
from virtuallab.protocol import cohorts, expand, expansion, read_text
from virtuallab.subject.subject import Subject, kind

WIDE = """\
schema_version: 1
name: wide
seed: 11
subjects:
  architectures: [{name: knet4, kernel: [3, 5]}, {name: mlp, hidden: {grid: [[8], [8, 4]]}}]
  tasks: [digits]
  rules:
    - {name: backprop, label: sgdm}
    - {name: backprop, label: adam, optimizer: {name: adam, learning_rate: {uniform: [0.001, 0.1]}}}
    - {name: information_alignment, amp: [0.01, 0.02], null: {log_uniform: [0.001, 0.1]}}
  optimizer: {name: sgd, learning_rate: {log_uniform: [0.001, 0.1]}, momentum: {choice: [0.5, 0.9]}}
  replicates: 3
  batch_size: [16, 32]
  steps: 10
  visits: 3
"""


def wide(*overrides: str) -> tuple[Subject, ...]:
    return expand(read_text(WIDE, overrides=overrides))


def rates(subjects: tuple[Subject, ...]) -> list[float]:
    return [subject.optimizer.learning_rate for subject in subjects]


def test_grids_multiply_and_distributions_do_not() -> None:
    # 2 kernels + 2 widths, 2 batch sizes, 1 + 1 + 2 points of rules, 3 replicates
    assert len(wide()) == 4 * 2 * 4 * 3


def test_a_rule_may_have_another_number_of_replicates_and_nobody_else_changes() -> None:
    more = wide("subjects.rules[1].replicates=5")
    assert len(more) == 4 * 2 * (3 + 5 + 2 * 3)
    assert {subject.key for subject in wide()} < {subject.key for subject in more}
    assert read_text(WIDE, overrides=["subjects.rules[1].replicates=5"]).subjects.count == len(more)


def test_subjects_are_all_different() -> None:
    assert len({subject.key for subject in wide()}) == len(wide())


def test_what_replicates_share_is_written_out_once(monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[object] = []

    def text(value: object) -> str:
        written.append(value)
        return json.dumps(value)

    monkeypatch.setattr(expansion, "_text", text)
    wide("subjects.replicates=2")
    few = len(written)
    wide("subjects.replicates=20")
    assert len(written) == 2 * few


def test_expanding_twice_gives_the_same() -> None:
    assert wide() == wide()


def test_subjects_are_sorted_by_their_design() -> None:
    subjects = wide()
    order = [(s.architecture.name, s.task.name) for s in subjects]
    assert order == sorted(order)
    block = [s for s in subjects if s.architecture == subjects[0].architecture]
    inner = [(s.batch_size, s.label) for s in block]
    assert inner == sorted(inner)
    assert [s.replicate for s in subjects[:3]] == [0, 1, 2]


@settings(max_examples=5, deadline=None)
@given(st.integers(0, 2**32))
def test_the_order_of_the_file_makes_no_difference(seed: int) -> None:
    shuffle = random.Random(seed).shuffle
    document = read_text(WIDE).resolved()
    for key in ("rules", "architectures"):
        shuffle(document["subjects"][key])
    pairs = list(document["subjects"].items())
    shuffle(pairs)
    document["subjects"] = dict(pairs)
    assert expand(read_text(json.dumps(document))) == _WIDE


def test_more_replicates_leave_the_others_as_they_are() -> None:
    few, many = set(map(_identity, wide())), set(map(_identity, wide("subjects.replicates=5")))
    assert few < many
    assert len(many) == len(few) / 3 * 5


def test_another_rule_leaves_the_others_as_they_are() -> None:
    without = """[{name: backprop, label: sgdm}]"""
    assert set(map(_identity, wide(f"subjects.rules={without}"))) < set(map(_identity, wide()))


def _identity(subject: Subject) -> str:
    return subject.key


def test_draws_lie_within_their_bounds_and_are_all_different() -> None:
    drawn = [s.optimizer.learning_rate for s in wide() if s.label == "sgdm"]
    assert min(drawn) >= 0.001
    assert max(drawn) <= 0.1
    assert len(set(drawn)) == len(drawn)


def test_no_two_rules_share_a_draw() -> None:
    two = "[{name: backprop, label: a}, {name: backprop, label: b}, feedback_alignment]"
    subjects = wide(f"subjects.rules={two}")
    by_label = {
        label: set(rates(tuple(s for s in subjects if s.label == label)))
        for label in ("a", "b", "feedback_alignment")
    }
    assert all(not one & other for one, other in combinations(by_label.values(), 2))


def test_settings_of_one_subject_are_drawn_independently() -> None:
    both = "{uniform: [0.01, 0.02]}"
    subjects = wide(f"subjects.rules=[{{name: information_alignment, amp: {both}, null: {both}}}]")
    drawn = {(s.rule.amp, s.rule.null) for s in subjects}  # type: ignore[attr-defined]
    assert len(drawn) == len(subjects)
    assert all(amp != null for amp, null in drawn)


def test_another_seed_gives_other_draws() -> None:
    assert not set(rates(wide())) & set(rates(wide("seed=12")))


@pytest.mark.parametrize("form", ["{choice: [8, 16]}", "{uniform: [8, 16]}"])
def test_a_batch_size_may_be_drawn(form: str) -> None:
    drawn = {s.batch_size for s in wide(f"subjects.batch_size={form}")}
    assert drawn <= set(range(8, 17))
    assert len(drawn) > 1


def test_losses_are_crossed_with_everything_else() -> None:
    both = wide("subjects.loss=[cross_entropy, squared_error]")
    assert len(both) == 2 * len(wide())
    assert {s.loss for s in both} == {"cross_entropy", "squared_error"}
    assert len({_hashable(s) for s in both}) == 2 * len({_hashable(s) for s in wide()})
    block = [s for s in both if s.architecture == both[0].architecture]
    inner = [(s.batch_size, s.loss, s.label) for s in block]
    assert inner == sorted(inner)


def test_another_loss_leaves_the_others_as_they_are() -> None:
    both = wide("subjects.loss=[squared_error, cross_entropy]")
    assert tuple(s for s in both if s.loss == "cross_entropy") == wide()
    assert not set(rates(wide("subjects.loss=squared_error"))) & set(rates(wide()))


def test_a_loss_may_be_drawn() -> None:
    drawn = [s.loss for s in wide("subjects.loss={choice: [cross_entropy, squared_error]}")]
    assert set(drawn) == {"cross_entropy", "squared_error"}
    assert len(drawn) == len(wide())


def test_subjects_with_the_usual_loss_are_those_of_before_there_was_a_choice() -> None:
    keys = ["57f894be83c4a02e", "c7154c53cfeb6cd1", "f586ae419c23cf54", "6f96cb858b763f3f"]
    assert [s.key for s in expand(protocol())] == keys
    said = protocol(("batch_size: 32", "batch_size: 32\n  loss: cross_entropy"))
    assert [s.key for s in expand(said)] == keys
    assert said.resolved() == protocol().resolved()
    assert "loss" not in said.resolved()["subjects"]


def test_precision_is_that_of_all_subjects_and_changes_no_draw() -> None:
    mixed, single = wide("subjects.precision=mixed"), wide()
    assert {s.precision for s in mixed} == {"mixed"}
    assert tuple(replace(s, precision="single") for s in mixed) == single
    assert not {s.key for s in mixed} & {s.key for s in single}


def test_single_precision_is_not_written() -> None:
    said = protocol(("batch_size: 32", "batch_size: 32\n  precision: single"))
    assert said.resolved() == protocol().resolved()
    assert "precision" not in said.resolved()["subjects"]
    mixed = protocol(("batch_size: 32", "batch_size: 32\n  precision: mixed"))
    assert mixed.resolved()["subjects"]["precision"] == "mixed"


CURRICULA = "subjects.curriculum=[shuffled, {name: blocked, classes_per_block: [1, 5]}]"
SCHEDULES = "subjects.schedule=[constant, cosine]"


def test_curricula_and_schedules_are_combined_with_all_else() -> None:
    made = wide(CURRICULA, SCHEDULES)
    assert len(made) == len(wide()) * 3 * 2
    assert read_text(WIDE, overrides=(CURRICULA, SCHEDULES)).subjects.count == len(made)
    assert len({(s.curriculum, s.schedule) for s in made}) == 6
    assert len({s.key for s in made}) == len(made)


def test_subjects_at_the_defaults_are_those_of_before_there_were_curricula() -> None:
    added = {"curriculum", "schedule"}
    usual = tuple(s for s in wide(CURRICULA, SCHEDULES) if not added & set(s.identity))
    assert usual == wide()
    said = "subjects.curriculum={name: shuffled}", "subjects.schedule=[constant]"
    assert wide(*said) == wide()
    resolved = read_text(WIDE, overrides=said).resolved()
    assert resolved == read_text(WIDE).resolved()
    assert not added & set(resolved["subjects"])


def test_another_curriculum_has_other_draws_and_a_pair_shares_it() -> None:
    blocked = "subjects.curriculum=blocked"
    assert not set(rates(wide(blocked))) & set(rates(wide()))
    pairs: dict[str, set[Any]] = {}
    for subject in wide(CURRICULA, SCHEDULES, PAIRED):
        pairs.setdefault(subject.pair, set()).add((subject.curriculum, subject.schedule))
    assert {len(each) for each in pairs.values()} == {1}
    assert len(pairs) == 6 * len({s.pair for s in wide(PAIRED)})


def test_settings_of_a_curriculum_may_be_drawn_for_each_subject() -> None:
    drawn = "subjects.curriculum={name: imbalanced, ratio: {log_uniform: [2, 50]}}"
    ratios = [s.curriculum.ratio for s in wide(drawn)]  # type: ignore[attr-defined]
    assert len(set(ratios)) == len(wide())
    assert all(2 <= ratio <= 50 for ratio in ratios)
    with pytest.raises(ProtocolError, match=r"paired.*'ratio' is drawn"):
        wide(drawn, PAIRED)
    written = read_text(WIDE, overrides=(drawn, CURRICULA)).resolved()
    assert expand(read_text(json.dumps(written))) == wide(CURRICULA)


PAIRED = "subjects.paired=[initial_weights, data_order]"


def test_subjects_of_a_pair_differ_in_their_rule_alone() -> None:
    subjects = wide(PAIRED)
    pairs: dict[str, list[Subject]] = {}
    for subject in subjects:
        pairs.setdefault(subject.pair, []).append(subject)
    assert len(pairs) == 4 * 2 * 3  # architectures, batch sizes, replicates
    for each in pairs.values():
        assert sorted(s.label for s in each) == ["adam", *["information_alignment"] * 2, "sgdm"]
        assert len({(s.architecture, s.task, s.batch_size, s.replicate) for s in each}) == 1
    assert len({s.key for s in subjects}) == len(subjects)


def test_a_pair_has_the_same_draws_of_what_is_named_and_others_of_the_rest() -> None:
    one, other = (
        next(s for s in wide(PAIRED) if s.label == label and s.replicate == 1)
        for label in ("sgdm", "adam")
    )
    assert one.pair == other.pair
    for name, purpose in seeds.PAIRABLE.items():
        named = name in ("initial_weights", "data_order")
        assert (one.stream(purpose) == other.stream(purpose)) == named, name
        assert (one.stream(purpose)[0] == one.key) != named


def test_replicates_and_cells_never_share_a_stream() -> None:
    owners = {s.stream(seeds.DATA_ORDER) for s in wide(PAIRED)}
    assert len(owners) == 4 * 2 * 3
    assert not owners & {s.stream(seeds.DATA_ORDER) for s in wide()}


def test_drawn_settings_stay_different_until_they_are_paired() -> None:
    two = "subjects.rules=[{name: backprop, label: a}, {name: backprop, label: b}]"
    open_, own = wide(two, PAIRED), wide(two)
    assert rates(open_) == rates(own)
    of = {
        label: rates(tuple(s for s in wide(two, "subjects.paired=settings") if s.label == label))
        for label in "ab"
    }
    assert of["a"] == of["b"]
    assert len(set(of["a"])) == len(of["a"])


def test_a_paired_number_has_the_same_quantile_in_the_range_of_each_rule() -> None:
    subjects = wide("subjects.paired=settings", f"subjects.rules={RANGES}")
    low, high = (
        np.log([s.optimizer.learning_rate for s in subjects if s.label == label])
        for label in ("low", "high")
    )
    places = [(low - np.log(0.001)) / np.log(10), (high - np.log(0.1)) / np.log(100)]
    np.testing.assert_allclose(*places, atol=1e-4)
    assert np.ptp(places[0]) > 0.5


RANGES = (
    "[{name: backprop, label: low, optimizer: {name: sgd, learning_rate: {log_uniform: [0.001, "
    "0.01]}}}, {name: backprop, label: high, optimizer: {name: sgd, learning_rate: {log_uniform: "
    "[0.1, 10]}}}]"
)


def test_without_pairs_subjects_and_stores_are_those_of_before() -> None:
    said = protocol(("batch_size: 32", "batch_size: 32\n  paired: []"))
    assert expand(said) == expand(protocol())
    assert said.resolved() == protocol().resolved()
    assert "paired" not in said.resolved()["subjects"]
    assert read_text(json.dumps(read_text(WIDE, overrides=[PAIRED]).resolved())).subjects.paired


def test_the_order_of_paired_streams_makes_no_difference() -> None:
    assert wide(PAIRED) == wide("subjects.paired=[data_order, initial_weights]")


def test_networks_of_a_pair_cannot_be_drawn_apart() -> None:
    drawn = "subjects.architectures={name: mlp, hidden: {choice: [[8], [16]]}}"
    with pytest.raises(ProtocolError, match=r"paired.*'hidden' is drawn.*Add 'settings'"):
        wide(PAIRED, drawn)
    both = "subjects.paired=[initial_weights, settings]"
    pairs: dict[str, set[Any]] = {}
    for subject in wide(both, drawn):
        pairs.setdefault(subject.pair, set()).add(subject.architecture)
    assert {len(each) for each in pairs.values()} == {1}


def test_a_stream_that_cannot_be_paired_is_named_with_those_that_can() -> None:
    with pytest.raises(ProtocolError, match="initial_weights"):
        wide("subjects.paired=[initial_weight]")


def test_a_subject_has_what_the_protocol_says() -> None:
    subject = expand(protocol())[-1]
    assert subject.label == "sgdm"
    assert (subject.batch_size, subject.steps, subject.replicate, subject.seed) == (32, 100, 1, 3)


@given(st.integers(1, 40))
def test_cohorts_are_a_partition_of_subjects_of_one_kind(size: int) -> None:
    subjects = _WIDE
    parts = cohorts(subjects, size)
    assert sorted(index for part in parts for index in part) == list(range(len(subjects)))
    for part in parts:
        assert 0 < len(part) <= size
        assert len({_hashable(subjects[index]) for index in part}) == 1


def test_a_cohort_is_never_a_small_rest() -> None:
    subjects = expand(read_text(SMALL, overrides=("subjects.replicates=25",)))
    assert [len(part) for part in cohorts(subjects, 24)] == [12, 13, 12, 13]


def test_sizes_may_be_given_for_each_kind() -> None:
    subjects = expand(protocol())
    sizes = dict.fromkeys(range(2), 1) | dict.fromkeys(range(2, 4), 2)
    assert cohorts(subjects, sizes) == ((0,), (1,), (2, 3))


_WIDE = wide()


def _hashable(subject: Subject) -> Any:
    return repr(kind(subject))
