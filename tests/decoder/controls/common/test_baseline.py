"""A baseline that a recording must be better than."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from virtuallab.decoder.controls.common.baseline import compared_with_baseline
from virtuallab.decoder.task import DecodingTask
from virtuallab.decoder.uncertainty.intervals import balanced_accuracy
from virtuallab.testing.planted import planted_task


@pytest.fixture(scope="module")
def task() -> DecodingTask:
    """A recording from which the rules are identified."""
    return planted_task(each=30, apart=6.0, seed=0).with_result()


def random_numbers(task: DecodingTask) -> np.ndarray:
    return np.random.default_rng(0).standard_normal((len(task.labels), 2))


def test_a_recording_is_better_than_random_numbers(task: DecodingTask) -> None:
    found = compared_with_baseline("curve", task, task.samples_of(random_numbers(task)))
    assert (found.name, found.kind, found.n_subjects) == ("curve", "beat", 90)
    assert found.passed
    assert found.low <= found.accuracy <= found.high < 0.7
    assert found.difference is not None
    mean, low, high = found.difference
    assert task.result is not None
    assert mean == pytest.approx(balanced_accuracy(task.result.confusion) - found.accuracy)
    assert 0 < low < mean < high
    assert found.note == (
        f"accuracy of the recording minus this one: {mean:+.2f} [{low:+.2f}, {high:+.2f}]"
    )


def test_a_recording_is_no_better_than_itself(task: DecodingTask) -> None:
    found = compared_with_baseline("same", task, task.samples)
    assert task.result is not None
    assert found.accuracy == balanced_accuracy(task.result.confusion), "the folds are the same"
    assert found.difference is not None
    assert found.difference[0] == 0
    assert not found.passed


def test_a_recording_without_signal_is_worse_than_a_setting_that_names_the_rule(
    task: DecodingTask,
) -> None:
    number = np.searchsorted(task.classes, task.labels)[:, None].astype(float)
    nothing = replace(task, samples=task.samples_of(random_numbers(task)), result=None)
    found = compared_with_baseline("answer", nothing, nothing.samples_of(number))
    assert not found.passed
    assert found.difference is not None
    assert found.difference[2] < 0


def test_an_advantage_that_may_be_due_to_chance_is_not_enough() -> None:
    few = planted_task(each=12, apart=3.0, seed=0)
    found = compared_with_baseline("curve", few, few.samples_of(random_numbers(few)))
    assert found.difference is not None
    mean, low, _ = found.difference
    assert low < 0 < mean
    assert not found.passed
