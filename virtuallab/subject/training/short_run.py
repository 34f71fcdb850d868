"""A few training steps, to find learning rates that are far too high or too low."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from virtuallab.subject.network.grouping import population_problem
from virtuallab.subject.subject import Cohort, Subject
from virtuallab.subject.training.trainer import CohortTrainer

STEPS = 10
_EXPLODED = 100.0  # loss over the loss before training
_NEGLIGIBLE = 1e-4  # change of the weights in all of training, over their norm


@dataclass(frozen=True)
class ShortRun:
    """Effect of a few training steps on one subject."""

    subject: Subject
    steps: int
    first: float  # loss of the first step; infinite if it was not finite
    worst: float  # largest loss
    moved: float  # norm of the change of the weights, over the norm of the weights before

    @property
    def explodes(self) -> bool:
        """True if the loss rose more than a hundredfold."""
        return not self.worst <= _EXPLODED * self.first

    @property
    def stagnates(self) -> bool:
        """True if the planned number of training steps would hardly change the weights."""
        return self.moved * self.subject.steps / self.steps < _NEGLIGIBLE


def short_runs(subjects: Sequence[Subject]) -> tuple[ShortRun, ...]:
    """Train subjects of one kind for a few steps, with unchanged learning rates.

    They are trained together if they can be one population.
    """
    first = subjects[0]
    if len(subjects) > 1 and population_problem(first.architecture, first.task):
        return tuple(run for subject in subjects for run in short_runs([subject]))
    trainer = CohortTrainer(Cohort(tuple(subjects)), torch.float32, "cpu")
    trainer.follows_schedule = False  # a rise from 0 would hide a rate that is too high
    weights = [*trainer.network.parameters, *trainer.backward_weights]
    before = [weight.detach().clone() for weight in weights]
    batches, losses = trainer.batches(), []
    steps = min(STEPS, subjects[0].steps)
    for step in range(steps):
        trainer.loss.zero_()
        trainer.training_step(*next(batches), step)
        losses.append(trainer.loss.cpu().numpy().copy())
    finite = np.nan_to_num(np.array(losses), nan=np.inf, posinf=np.inf)
    changes = [now.detach() - then for then, now in zip(before, weights, strict=True)]
    change, norm = (
        torch.cat([each.flatten(1) for each in tensors], 1).double().norm(dim=1)
        for tensors in (changes, before)
    )
    moved = (change / norm).cpu().numpy()
    diverged = ~np.isfinite(moved) | (trainer.diverged_at >= 0)
    worst = np.where(diverged, np.inf, finite.max(0))
    numbers = zip(finite[0].tolist(), worst.tolist(), moved.tolist(), strict=True)
    return tuple(ShortRun(s, steps, *each) for s, each in zip(subjects, numbers, strict=True))
