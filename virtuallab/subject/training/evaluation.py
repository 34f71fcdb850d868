"""Loss and performance of subjects on images on which they are not trained."""

from __future__ import annotations

import jaxtyping as jt
import torch
from torch import Tensor

from virtuallab.subject.architecture import Architecture
from virtuallab.subject.network.build import code_path
from virtuallab.subject.network.initialization import template_network
from virtuallab.subject.network.network import Network
from virtuallab.subject.task import Images, Task
from virtuallab.subject.training.linear_readout import readout_accuracy

_BATCH_SIZE = 128


class CohortEvaluation:
    """CohortEvaluation of a cohort by the measure of its task.

    Parameters
    ----------
    architecture : Architecture
    task : Task
    train : Images
        On which linear read-outs are fitted.
    validation : Images
        On which loss and performance are measured.
    """

    def __init__(
        self, architecture: Architecture, task: Task, train: Images, validation: Images
    ) -> None:
        self._measure, self._train, self._images = task.measure, train, validation
        self._code = ""
        if task.measure == "read-out accuracy":
            self._code = code_path(task, template_network(architecture, task))

    def batch(self, first: int, count: int, subjects: int) -> tuple[Tensor, Tensor]:
        """Return validation images and their targets, the same for all subjects.

        Parameters
        ----------
        first, count : int
            The images. With views, the first view of each is followed by the second of each.
        subjects : int

        Returns
        -------
        stimuli : Tensor, (batch, subject*channel, height, width)
        targets : Tensor, (batch, subject) or (batch, subject, output)
        """
        images, part = self._images, slice(first, first + count)
        shown, labels = images.stimuli[part], images.labels[part]
        if images.views is not None:
            shown, labels = images.views[part].transpose(0, 1).flatten(0, 1), labels.repeat(2)
        targets = labels if images.values is None else images.values[part]
        return shown.repeat(1, subjects, 1, 1), targets.unsqueeze(1).expand(
            -1, subjects, *targets.shape[1:]
        )

    @torch.no_grad()
    def measure(
        self, network: Network
    ) -> tuple[jt.Float[Tensor, " subject"], jt.Float[Tensor, " subject"]]:
        """Mean loss, and performance by the task's measure, of each subject.

        The population is set to evaluation mode and back to training mode.
        """
        images, count = self._images, network.subjects
        network.population.eval()
        total = images.stimuli.new_zeros(count, dtype=torch.float64)
        right = torch.zeros_like(total)
        for first in range(0, len(images.labels), _BATCH_SIZE):
            stimuli, targets = self.batch(first, _BATCH_SIZE, count)
            scores = network.scores(stimuli)
            share = min(_BATCH_SIZE, len(images.labels) - first)
            total += network.losses(scores, targets).mean(0).double() * share
            if not self._code:
                right += self._right(scores, targets)
        right = right / len(images.labels)
        if self._code:
            right = readout_accuracy(network, self._code, self._train, images)
        network.population.train()
        return total / len(images.labels), right

    def _right(self, scores: Tensor, targets: Tensor) -> Tensor:
        """Sum over a batch of what the performance is a mean of, if it is one over images."""
        if self._measure == "accuracy":
            return (scores.argmax(-1) == targets).sum(0)
        assert self._images.values is not None
        variance = self._images.values.var(0, correction=0).sum()
        return (1 - (scores - targets).square().sum(2) / variance).double().sum(0)
