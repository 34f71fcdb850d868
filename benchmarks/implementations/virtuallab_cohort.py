"""A cohort, as ``virtuallab run`` trains it."""

from __future__ import annotations

from itertools import count

import torch

from benchmarks.measuring.nets import BATCH, subjects
from virtuallab.subject.subject import Cohort
from virtuallab.subject.training.batch import batch_of
from virtuallab.subject.training.trainer import CohortTrainer


class VirtuallabCohort:
    """Cohort of virtuallab.

    Parameters
    ----------
    net, rule : str
    size : int
        Number of subjects.
    """

    def __init__(self, net: str, rule: str, size: int) -> None:
        self._size = size
        self._trainer = CohortTrainer(Cohort(subjects(net, rule, size)), torch.float32, "cpu")
        self._batches, self._steps = self._trainer.batches(), count()

    def first_losses(self, steps: int) -> list[float]:
        """Losses of the first subject on the first images."""
        trainer, losses = self._trainer, []
        chosen = torch.arange(BATCH)[:, None].expand(BATCH, self._size)
        stimuli, labels = batch_of(trainer.images, chosen, [])
        for _ in range(steps):
            before = float(trainer.loss[0])
            trainer.training_step(stimuli, labels, next(self._steps))
            losses.append(float(trainer.loss[0]) - before)
        return losses

    def prepare(self, steps: int) -> None:
        """Do nothing."""

    def train(self, steps: int) -> None:
        """Train the cohort."""
        for _ in range(steps):
            self._trainer.training_step(*next(self._batches), next(self._steps))
