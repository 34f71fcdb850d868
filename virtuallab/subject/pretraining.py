"""Pretraining: what a subject learns before visit 0."""

from __future__ import annotations

from dataclasses import dataclass

from virtuallab.subject.optimizer import Optimizer
from virtuallab.subject.rule import Rule
from virtuallab.subject.task import Task


@dataclass(frozen=True, kw_only=True)
class Pretraining:
    """Training before visit 0, in which the subject learns as it does later unless stated here.

    Images are shuffled and the learning rate is constant.

    Parameters
    ----------
    steps : int
        Training steps.
    task : Task or None
        None for the subject's own.
    rule : Rule or None
        None for the subject's own.
    optimizer : Optimizer or None
        Of the forward weights; None for the subject's own.
    """

    steps: int
    task: Task | None = None
    rule: Rule | None = None
    optimizer: Optimizer | None = None

    @property
    def name(self) -> str:
        """Rule and task, ``"backprop on digits"``."""
        rule, task = (each.name if each else "own" for each in (self.rule, self.task))
        return f"{rule} on {task}"
