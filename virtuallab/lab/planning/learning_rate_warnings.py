"""Warnings of learning rates that are too high or too low for a subject to learn anything."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain

import numpy as np

from virtuallab.lab.services.workers import on_threads, torch_threads
from virtuallab.subject.subject import Subject, kind
from virtuallab.subject.training.short_run import ShortRun, short_runs

_SMALLEST = float(np.finfo(np.float32).tiny)


def learning_rate_warnings(subjects: Sequence[Subject], workers: int = 1) -> tuple[str, ...]:
    """One sentence for each rule of which some subject explodes in a few steps, or does not move.

    Of each kind the subjects with the lowest and the highest learning rate are tried.

    Parameters
    ----------
    subjects : sequence of Subject
    workers : int
        Kinds that are tried at once.
    """
    kinds: dict[tuple[object, ...], dict[str, list[Subject]]] = {}
    for subject in subjects:
        kinds.setdefault(kind(subject), {}).setdefault(subject.label, []).append(subject)
    with torch_threads(1):
        tried = on_threads(short_runs, map(_with_extreme_rates, kinds.values()), workers)
    said: dict[tuple[str, bool], str] = {}
    for course in chain.from_iterable(tried):
        if course.explodes or course.stagnates:
            place = (course.subject.label, course.explodes)
            said.setdefault(place, _sentence(course))
    return tuple(said.values())


def _with_extreme_rates(labels: Mapping[str, Sequence[Subject]]) -> list[Subject]:
    """Subjects of each label with the lowest and the highest learning rate."""
    ends: list[Subject] = []
    for members in labels.values():
        low, high = min(members, key=_rate), max(members, key=_rate)
        ends += [low] if low is high else [low, high]
    return ends


def _rate(subject: Subject) -> float:
    return float(subject.optimizer.learning_rate)


def _sentence(course: ShortRun) -> str:
    subject = course.subject
    at = f"{subject.label}: at a learning rate of {_rate(subject):.3g}"
    if _rate(subject) < _SMALLEST:
        return f"{at}, nothing is learned: in single precision it is 0. Raise it."
    if course.explodes:
        rose = (
            f"the loss rose from {course.first:.2g} to {course.worst:.2g}"
            if course.worst < float("inf")
            else "the loss, or a weight, is no longer finite"
        )
        return f"{at}, {rose} within {course.steps} trial steps. Lower it."
    if course.moved == 0:
        return f"{at}, no weight moved in {course.steps} trial steps. Raise it."
    return (
        f"{at}, {course.steps} trial steps moved the weights by {course.moved:.1g} of their size: "
        f"in {subject.steps:,} steps hardly anything is learned. Raise it, or train for longer."
    )
