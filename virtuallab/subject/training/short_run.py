"""A few training steps, which show whether a learning rate is far too high or too low."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from virtuallab.subject.subject import Cohort, Subject
from virtuallab.subject.training.trainer import CohortTrainer

STEPS = 10
_EXPLODED = 100.0  # times the loss before training
_NEGLIGIBLE = 1e-4  # of the weights' norm, changed in all of training


@dataclass(frozen=True)
class ShortRun:
    """Effect of a few training steps on one subject.

    Parameters
    ----------
    subject : Subject
    steps : int
        Number of training steps.
    first, worst : float
        Loss of the first step, and the largest; infinite where it was not finite.
    moved : float
        Norm of the change of its weights, relative to that of the weights before.
    """

    subject: Subject
    steps: int
    first: float
    worst: float
    moved: float

    @property
    def explodes(self) -> bool:
        """Whether the loss rose a hundredfold."""
        return not self.worst <= _EXPLODED * self.first

    @property
    def stagnates(self) -> bool:
        """Whether the planned number of training steps would hardly change the weights."""
        return self.moved * self.subject.steps / self.steps < _NEGLIGIBLE


def short_runs(subjects: Sequence[Subject]) -> tuple[ShortRun, ...]:
    """Train subjects of one kind for a few steps, all together.

    Parameters
    ----------
    subjects : sequence of Subject

    Returns
    -------
    tuple of ShortRun
    """
    trainer = CohortTrainer(Cohort(tuple(subjects)), torch.float32, "cpu")
    weights = [*trainer.network.parameters, *trainer.backward_weights]
    before = [weight.detach().clone() for weight in weights]
    batches, losses = trainer.batches(), []
    steps = min(STEPS, subjects[0].steps)
    for step in range(steps):
        trainer.loss.zero_()
        trainer.training_step(*next(batches), step)
        losses.append(trainer.loss.cpu().numpy().copy())
    seen = np.nan_to_num(np.array(losses), nan=np.inf, posinf=np.inf)
    changes = zip(before, weights, strict=True)
    change = torch.cat([(after.detach() - was).flatten(1) for was, after in changes], 1)
    norm = torch.cat([weight.flatten(1) for weight in before], 1).double().norm(dim=1)
    moved = (change.double().norm(dim=1) / norm).cpu().numpy()
    broken = ~np.isfinite(moved) | (trainer.diverged_at >= 0)
    worst = np.where(broken, np.inf, seen.max(0))
    return tuple(
        ShortRun(subject, steps, float(seen[0, place]), float(worst[place]), float(moved[place]))
        for place, subject in enumerate(subjects)
    )
