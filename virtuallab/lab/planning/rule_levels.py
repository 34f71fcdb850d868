"""Levels of a plan's rules, from what their classes declare and from their optimizers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from virtuallab.decoder.levels import Level, informative_levels
from virtuallab.lab.planning.plan import Plan
from virtuallab.subject.subject import Subject

# Name, question, and the group of a subject's rule; None if its class does not declare one.
_LEVELS: Final[tuple[tuple[str, str, Callable[[Subject], str | None]], ...]] = (
    ("optimizer", "Which optimizer?", lambda subject: subject.optimizer.name),
    (
        "error return",
        "How does the error return?",
        lambda subject: each.value if (each := subject.rule.error_return) else None,
    ),
    (
        "objective",
        "Which objective?",
        lambda subject: each.value if (each := subject.rule.objective) else None,
    ),
)


def levels_of(plan: Plan) -> tuple[Level, ...]:
    """Levels at which the rules of a plan can be distinguished, in a fixed order.

    A level is left out if all rules share one group, or if it separates all rules, as the labels
    do. A rule whose class declares nothing forms a group of its own.

    Parameters
    ----------
    plan : Plan

    Returns
    -------
    tuple of Level
    """
    subjects = {subject.label: subject for subject in plan.subjects}
    levels = []
    for name, question, group_of in _LEVELS:
        groups = {label: group_of(subject) for label, subject in subjects.items()}
        known = {label: group for label, group in groups.items() if group is not None}
        levels.append(Level(name, question, known))
    return informative_levels(levels, tuple(subjects))
