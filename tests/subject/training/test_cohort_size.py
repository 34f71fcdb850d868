from __future__ import annotations

from collections.abc import Sequence

from tests.subject.training.test_trainer import subject
from virtuallab.subject.subject import Subject
from virtuallab.subject.training.cohort_size import CohortTiming, fastest_cohort, seconds_per_step

MANY = [subject("backprop", "mlp", number) for number in range(100)]


def clock(times: dict[int, float]):  # type: ignore[no-untyped-def]
    def timed(cohort: Sequence[Subject]) -> float:
        sizes.append(len(cohort))
        return times[len(cohort)]

    sizes: list[int] = []
    return timed, sizes


def test_the_fastest_size_is_chosen() -> None:
    timed, sizes = clock({1: 10.0, 2: 6.0, 4: 3.0, 8: 2.0, 16: 2.5, 32: 4.0})
    assert fastest_cohort(MANY, timed=timed) == CohortTiming(8, 2.0)
    assert sizes == [1, 2, 4, 8, 16, 32], "larger sizes are not tried once they are much slower"


def test_cohorts_of_one_where_populations_are_slower() -> None:
    timed, _ = clock({1: 1.0, 2: 1.2, 4: 2.0})
    assert fastest_cohort(MANY, timed=timed) == CohortTiming(1, 1.0)


def test_a_smaller_cohort_that_is_almost_as_fast_is_preferred() -> None:
    timed, _ = clock({1: 9.0, 2: 3.0, 4: 2.95, 8: 2.9, 16: 5.0})
    assert fastest_cohort(MANY, timed=timed).size == 2


def test_a_given_size_is_only_timed() -> None:
    timed, sizes = clock({32: 4.0})
    assert fastest_cohort(MANY, size=32, timed=timed) == CohortTiming(32, 4.0)
    assert sizes == [32]


def test_seconds_per_step_is_positive_and_does_not_change_subjects() -> None:
    before = MANY[0].key
    assert seconds_per_step(MANY[:2]) > 0
    assert MANY[0].key == before
