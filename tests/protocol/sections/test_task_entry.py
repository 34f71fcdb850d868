"""Tasks that only some architectures learn."""

from __future__ import annotations

import pytest

from tests.protocol.texts import complaints, protocol, small
from virtuallab.protocol import expand, read_text, search_studies

TWO = ("architectures: [knet4]", "architectures: [knet4, mlp]")


def tasks(text: str) -> tuple[str, str]:
    return "tasks: [digits]", f"tasks: [{text}]"


RESTRICTED = tasks("{name: digits, architectures: [mlp]}, mnist_5k")


def test_a_task_is_learned_by_the_architectures_that_it_names() -> None:
    subjects = expand(protocol(TWO, RESTRICTED))
    found = {(subject.architecture.name, subject.task.name) for subject in subjects}
    assert found == {("mlp", "digits"), ("mlp", "mnist_5k"), ("knet4", "mnist_5k")}
    assert len(subjects) == protocol(TWO, RESTRICTED).subjects.count == 3 * 2 * 2


def test_the_restriction_is_no_part_of_a_subject() -> None:
    free = {subject.key for subject in expand(protocol(TWO, tasks("digits, mnist_5k")))}
    assert {subject.key for subject in expand(protocol(TWO, RESTRICTED))} < free


def test_the_resolved_protocol_reads_back() -> None:
    made = protocol(TWO, RESTRICTED)
    entry = made.resolved()["subjects"]["tasks"][0]
    assert entry["architectures"] == ["mlp"]
    again = read_text(small(TWO, tasks(f"{entry}, mnist_5k")), name="p.yaml")
    assert expand(again) == expand(made)


def test_a_search_has_a_study_for_each_network_that_is_trained() -> None:
    search = ("analyses:", "search: {trials: 2}\nanalyses:")
    found = search_studies(protocol(TWO, RESTRICTED, search))
    pairs = {(study.architecture, study.task) for study in found}
    assert pairs == {("mlp", "digits"), ("mlp", "mnist_5k"), ("knet4", "mnist_5k")}
    alone = search_studies(protocol(TWO, tasks("digits, mnist_5k"), search))
    names = {study.name(study.protocol.search) for study in alone}
    assert {study.name(study.protocol.search) for study in found} < names


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        (
            "{name: digits, architectures: [knet5]}",
            "p.yaml:7: subjects.tasks[0].architectures: no architecture of these subjects is "
            "called 'knet5'. Did you mean 'knet4'?",
        ),
        (
            "{name: digits, architectures: mlp}",
            "p.yaml:6: subjects.architectures[0]: no task names 'knet4' among its architectures.",
        ),
    ],
)
def test_names_that_lead_nowhere_are_refused(entry: str, message: str) -> None:
    found = complaints(small(TWO, tasks(entry)))
    assert found
    assert found[0].startswith(message)
