"""How many subjects to train together: measured, since it depends on the network and the machine.

A population wins where a single network leaves the machine idle, and loses where one already fills
it. So trial steps are run with cohorts of one, two, four, ... subjects, and the quickest size is
taken. A cohort of one is the plain network, so the choice is never slower than a loop over plain
networks.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import torch

from virtuallab.subject.subject import Cohort, Subject
from virtuallab.subject.training.trainer import Room

_LARGEST = 256
_SECONDS = 0.15  # of trial steps at each size that is compared with others
_GLANCE = 0.02  # where only the time is asked
_NEARLY = 1.05  # a smaller cohort that is nearly as quick divides better among workers


@dataclass(frozen=True)
class Trial:
    """What was measured.

    Parameters
    ----------
    size : int
        Subjects to train together.
    seconds : float
        Time of one training step of one subject in a cohort of that size.
    """

    size: int
    seconds: float


def measure(
    subjects: Sequence[Subject],
    *,
    size: int | None = None,
    most: int = _LARGEST,
    timed: Callable[[Sequence[Subject]], float] | None = None,
) -> Trial:
    """Find the quickest cohort for subjects of one make, by a second of trial steps.

    Parameters
    ----------
    subjects : sequence of Subject
        All subjects of this make.
    size : int, optional
        A size fixed beforehand: only its time is measured.
    most : int
        Subjects that fit into memory together.
    timed : callable, optional
        Seconds of a step of one subject in a cohort; measured by trial steps if not given.
    """
    if size is not None:
        size = min(size, len(subjects))
        timed = timed or partial(trial_steps, spend=_GLANCE)
        return Trial(size, timed(subjects[:size]))
    timed = timed or trial_steps
    trials: list[Trial] = []
    size = 1
    while size <= min(len(subjects), max(most, 1), _LARGEST):
        trials.append(Trial(size, timed(subjects[:size])))
        if trials[-1].seconds > 1.5 * min(trial.seconds for trial in trials):
            break  # out of the cache; larger ones are slower still
        size *= 2
    best = min(trial.seconds for trial in trials)
    return next(trial for trial in trials if trial.seconds <= _NEARLY * best)


def trial_steps(subjects: Sequence[Subject], spend: float = _SECONDS) -> float:
    """Seconds of one training step of one subject, in a cohort of all of these.

    Parameters
    ----------
    subjects : sequence of Subject
    spend : float
        Seconds of trial steps; two steps are made in any case.
    """
    room = Room(Cohort(tuple(subjects)), torch.float32, "cpu")
    batches = room.batches()
    room.learn(*next(batches), 0)  # the first step also plans its convolutions
    began, steps = time.perf_counter(), 0
    while steps < 2 or time.perf_counter() - began < spend:
        room.learn(*next(batches), steps)
        steps += 1
    return (time.perf_counter() - began) / steps / len(subjects)
