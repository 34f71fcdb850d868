"""What no experimenter can see of a subject: how well it does."""

from __future__ import annotations

import jaxtyping as jt
import torch
from torch import Tensor, nn

from virtuallab.subject.loss import loss_called
from virtuallab.subject.task import Images
from virtuallab.vocabulary import CROSS_ENTROPY

_IMAGES_AT_ONCE = 128


@torch.no_grad()
def performance(
    population: nn.Module, images: Images, subjects: int, loss: str = CROSS_ENTROPY
) -> tuple[jt.Float[Tensor, " subject"], jt.Float[Tensor, " subject"]]:
    """Mean loss and accuracy of each subject on the same images.

    The population is put into evaluation mode and back into training mode.
    """
    of_samples = loss_called(loss)
    population.eval()
    total = images.stimuli.new_zeros(subjects, dtype=torch.float64)
    correct = torch.zeros_like(total)
    for first in range(0, len(images.labels), _IMAGES_AT_ONCE):
        stimuli = images.stimuli[first : first + _IMAGES_AT_ONCE]
        labels = images.labels[first : first + _IMAGES_AT_ONCE]
        scores = population(stimuli.repeat(1, subjects, 1, 1)).view(len(labels), subjects, -1)
        each = of_samples(scores, labels.unsqueeze(1).expand(-1, subjects)).mean(0)
        total += each.double() * len(labels)
        correct += (scores.argmax(-1) == labels.unsqueeze(1)).sum(0)
    population.train()
    return total / len(images.labels), correct / len(images.labels)
