"""Factors of learning rates by architecture."""

from __future__ import annotations

import numpy as np

from tests.protocol.texts import complaints, small
from virtuallab.decoder.schemes.splits import groups_of
from virtuallab.lab.planning.subject_table import describe_subjects
from virtuallab.protocol import expand, read_text
from virtuallab.subject.subject import Subject

TWO = ("architectures: [knet4]", "architectures: [knet4, convnet]")
START = "rule: backprop, optimizer: {name: sgd, learning_rate: 0.5}, steps: 3"


def subjects(factors: str, *overrides: str) -> tuple[Subject, ...]:
    text = small(TWO, ("replicates: 2", f"replicates: 6\n  learning_rate_factors: {factors}"))
    return expand(read_text(text, overrides=overrides))


def rates(found: tuple[Subject, ...], architecture: str) -> np.ndarray:
    mine = [each for each in found if each.architecture.name == architecture]
    return np.array([each.optimizer.learning_rate for each in mine])


def test_all_learning_rates_of_an_architecture_are_multiplied() -> None:
    backward = "subjects.rules[1].feedback_optimizer={name: adam, learning_rate: 0.01}"
    plain, scaled = subjects("{}", backward), subjects("{convnet: 0.1}", backward)
    np.testing.assert_allclose(rates(scaled, "convnet"), 0.1 * rates(plain, "convnet"))
    np.testing.assert_array_equal(rates(scaled, "knet4"), rates(plain, "knet4"))
    of_backward = {
        (each.architecture.name, each.feedback_optimizer.learning_rate)
        for each in scaled
        if each.feedback_optimizer is not None
    }
    assert of_backward == {("convnet", 0.001), ("knet4", 0.01)}


def test_the_optimizer_of_a_pretraining_is_multiplied_too() -> None:
    found = subjects("{convnet: 0.1}", f"subjects.start_from={{{START}}}")
    of_start = {
        (each.architecture.name, each.start_from.optimizer.learning_rate)
        for each in found
        if each.start_from is not None and each.start_from.optimizer is not None
    }
    assert of_start == {("convnet", 0.05), ("knet4", 0.5)}


def test_other_subjects_keep_their_keys() -> None:
    plain, scaled = subjects("{}"), subjects("{convnet: 0.1}")
    kept = {each.key for each in plain} & {each.key for each in scaled}
    assert len(kept) == len(plain) // 2


def test_thirds_are_of_rates_relative_to_the_factor() -> None:
    found = subjects("{convnet: 0.001}")
    table = describe_subjects(found)
    assert set(table["learning_rate_factor"].values.tolist()) == {1.0, 0.001}
    thirds = groups_of(table, "learning_rate")
    for third in ("low", "middle", "high"):
        assert len({found[row].architecture.name for row in np.flatnonzero(thirds == third)}) == 2
    assert "learning_rate_factor" not in describe_subjects(subjects("{}"))


def test_an_architecture_that_is_not_listed_is_refused() -> None:
    text = small(("replicates: 2", "replicates: 2\n  learning_rate_factors: {knet: 0.1}"))
    [fault] = complaints(text)
    assert "subjects.learning_rate_factors.knet: " in fault
    assert "Did you mean 'knet4'?" in fault
    text = small(("replicates: 2", "replicates: 2\n  learning_rate_factors: {knet4: 0}"))
    [fault] = complaints(text)
    assert "subjects.learning_rate_factors.knet4" in fault
