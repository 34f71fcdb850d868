"""Loss and accuracy of subjects on images on which they are not trained."""

from __future__ import annotations

import jaxtyping as jt
import torch
from torch import Tensor, nn

from virtuallab.registry import LOSSES
from virtuallab.subject.task import Images
from virtuallab.vocabulary import CROSS_ENTROPY

_BATCH_SIZE = 128


@torch.no_grad()
def evaluate(
    population: nn.Module, images: Images, subjects: int, loss: str = CROSS_ENTROPY
) -> tuple[jt.Float[Tensor, " subject"], jt.Float[Tensor, " subject"]]:
    """Mean loss and accuracy of each subject on the same images.

    The population is set to evaluation mode and back to training mode.
    """
    sample_losses = LOSSES[loss]()
    population.eval()
    total = images.stimuli.new_zeros(subjects, dtype=torch.float64)
    correct = torch.zeros_like(total)
    for first in range(0, len(images.labels), _BATCH_SIZE):
        stimuli = images.stimuli[first : first + _BATCH_SIZE]
        labels = images.labels[first : first + _BATCH_SIZE].unsqueeze(1)
        scores = population(stimuli.repeat(1, subjects, 1, 1)).view(len(labels), subjects, -1)
        losses = sample_losses(scores, labels.expand(-1, subjects)).mean(0)
        total += losses.double() * len(labels)
        correct += (scores.argmax(-1) == labels).sum(0)
    population.train()
    return total / len(images.labels), correct / len(images.labels)
