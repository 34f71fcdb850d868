"""Number of subjects to train together, measured by trial steps.

A population is faster where a single network leaves the machine idle, and slower where one network
already fills it. Cohorts of one, two, four, ... subjects are timed and the fastest size is taken. A
cohort of one is the plain network, so the choice is never slower than a loop over plain networks.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import torch

from virtuallab.subject.subject import Cohort, Subject
from virtuallab.subject.training.trainer import CohortTrainer

_LARGEST = 256
_SECONDS = 0.15  # of trial steps at each size that is compared
_SECONDS_OF_GIVEN_SIZE = 0.02
_TOLERANCE = 1.05  # a smaller cohort that is almost as fast is easier to divide among workers


@dataclass(frozen=True)
class CohortTiming:
    """Number of subjects trained together, and seconds of one training step of one of them."""

    size: int
    seconds: float


def fastest_cohort(
    subjects: Sequence[Subject],
    *,
    size: int | None = None,
    most: int = _LARGEST,
    timed: Callable[[Sequence[Subject]], float] | None = None,
) -> CohortTiming:
    """Size at which subjects of one kind train fastest, at most ``most``.

    If a ``size`` is given, only its time is measured. ``timed`` returns the seconds of one step of
    one subject in a cohort, by default :func:`seconds_per_step`.
    """
    if size is not None:
        size = min(size, len(subjects))
        timed = timed or partial(seconds_per_step, duration=_SECONDS_OF_GIVEN_SIZE)
        return CohortTiming(size, timed(subjects[:size]))
    timed = timed or seconds_per_step
    timings: list[CohortTiming] = []
    size = 1
    while size <= min(len(subjects), max(most, 1), _LARGEST):
        timings.append(CohortTiming(size, timed(subjects[:size])))
        if timings[-1].seconds > 1.5 * min(timing.seconds for timing in timings):
            break  # exceeds the cache; larger cohorts are slower still
        size *= 2
    best = min(timing.seconds for timing in timings)
    return next(timing for timing in timings if timing.seconds <= _TOLERANCE * best)


def seconds_per_step(subjects: Sequence[Subject], duration: float = _SECONDS) -> float:
    """Seconds of one training step of one subject, in a cohort of these subjects.

    Trial steps are made for ``duration`` seconds, two at least.
    """
    trainer = CohortTrainer(Cohort(tuple(subjects)), torch.float32, "cpu")
    batches = trainer.batches()
    trainer.training_step(*next(batches), 0)  # the first step also plans the convolutions
    start, steps = time.perf_counter(), 0
    while steps < 2 or time.perf_counter() - start < duration:
        trainer.training_step(*next(batches), steps)
        steps += 1
    return (time.perf_counter() - start) / steps / len(subjects)
