"""A few steps of training, to see whether a learning rate is one that anybody means."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from virtuallab.subject.subject import Cohort, Subject
from virtuallab.subject.training.trainer import Room

STEPS = 10
_EXPLODED = 100.0  # times the loss before learning
_NOTHING = 1e-4  # of the weights' norm, moved in all of training


@dataclass(frozen=True)
class Course:
    """What a few steps did to one subject.

    Parameters
    ----------
    subject : Subject
    steps : int
        How many there were.
    first, worst : float
        Loss of the first step, and the largest; infinite where it was no number.
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
        """Whether the loss left all bounds."""
        return not self.worst <= _EXPLODED * self.first

    @property
    def rests(self) -> bool:
        """Whether training as long as it is planned would move no weight by what matters."""
        return self.moved * self.subject.steps / self.steps < _NOTHING


def courses(subjects: Sequence[Subject]) -> tuple[Course, ...]:
    """Train subjects of one make for a few steps, all together.

    Parameters
    ----------
    subjects : sequence of Subject
    """
    room = Room(Cohort(tuple(subjects)), torch.float32, "cpu")
    weights = [*room.network.parameters, *room.feedback]
    before = [weight.detach().clone() for weight in weights]
    batches, losses = room.batches(), []
    steps = min(STEPS, subjects[0].steps)
    for step in range(steps):
        room.loss.zero_()
        room.learn(*next(batches), step)
        losses.append(room.loss.cpu().numpy().copy())
    seen = np.nan_to_num(np.array(losses), nan=np.inf, posinf=np.inf)
    moved = _moved(before, weights)
    broken = ~np.isfinite(moved) | (room.diverged_at >= 0)
    worst = np.where(broken, np.inf, seen.max(0))
    return tuple(
        Course(subject, steps, float(seen[0, place]), float(worst[place]), float(moved[place]))
        for place, subject in enumerate(subjects)
    )


def _moved(before: Sequence[Tensor], after: Sequence[Tensor]) -> np.ndarray:
    """Norm of each subject's change of weights, relative to that of its weights before."""
    change = torch.cat([(b.detach() - a).flatten(1) for a, b in zip(before, after, strict=True)], 1)
    norm = torch.cat([weight.flatten(1) for weight in before], 1).double().norm(dim=1)
    found: np.ndarray = (change.double().norm(dim=1) / norm).cpu().numpy()
    return found
