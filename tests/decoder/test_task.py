"""A decoding task: what a decoder and its controls share."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from virtuallab.decoder.task import per_rule
from virtuallab.testing.planted import RULES, planted_task


def test_the_result_of_the_recording_is_computed_once() -> None:
    task = planted_task(each=6, apart=1.0, seed=0)
    solved = task.with_result()
    assert task.result is None
    assert solved.result is not None
    assert solved.solved() is solved.result
    again = task.decode(task.samples, select=True)
    np.testing.assert_array_equal(solved.result.confusion, again.confusion)


def test_another_offset_gives_other_folds() -> None:
    task = planted_task(each=6, apart=0.3, seed=0)
    one, other = (task.decode(task.samples, select=False, offset=n) for n in (0, 1))
    assert not np.array_equal(one.probability, other.probability)


def test_settings_and_learning_curves_follow_the_recorded_subjects_by_name() -> None:
    task = planted_task(each=2, apart=1.0, seed=0)
    assert task.subjects is not None
    assert task.performance is not None
    backwards = slice(None, None, -1)
    others = replace(
        task,
        subjects=task.subjects.isel(subject=backwards),
        performance=task.performance.isel(subject=backwards),
    )
    for name in ("learning_rate", "plasticity", "rule"):
        np.testing.assert_array_equal(others.column(name), task.column(name))
    np.testing.assert_array_equal(others.learning_curve(), task.learning_curve())
    assert task.column("height") is None


def test_rules_are_sorted_and_their_subjects_counted() -> None:
    task = planted_task(each=2, apart=1.0, seed=0)
    assert task.classes == sorted(RULES)
    assert task.subjects_per_rule.tolist() == [2, 2, 2]
    assert per_rule(np.array(["b", "a", "b"]), ["a", "b", "c"]).tolist() == [1, 2, 0]


def test_settings_are_decoded_once_for_all_observables() -> None:
    task = planted_task(each=6, apart=1.0, seed=0)
    curve = task.learning_curve()
    assert curve is not None
    asked = [task.decode_settings(task.samples_of(curve.copy()), select=True) for _ in range(2)]
    assert asked[0] is asked[1]
    again = task.decode(task.samples_of(curve), select=True)
    np.testing.assert_array_equal(asked[0].probability, again.probability)
    for other in (
        replace(task, seed=task.seed + 1).decode_settings(task.samples_of(curve), select=True),
        task.decode_settings(task.samples_of(curve + 1), select=True),
        task.decode_settings(task.samples_of(curve), select=True, draws=2),
    ):
        assert other is not asked[0]
