"""Loss and accuracy of subjects on images that they do not learn from."""

from __future__ import annotations

import jaxtyping as jt
import torch
from torch import Tensor, nn

from virtuallab.registry import LOSSES
from virtuallab.subject.task import Images
from virtuallab.vocabulary import CROSS_ENTROPY

_IMAGES_AT_ONCE = 128


@torch.no_grad()
def evaluate(
    population: nn.Module, images: Images, subjects: int, loss: str = CROSS_ENTROPY
) -> tuple[jt.Float[Tensor, " subject"], jt.Float[Tensor, " subject"]]:
    """Mean loss and accuracy of each subject on the same images.

    The population is set to evaluation mode and back to training mode.

    Parameters
    ----------
    population : nn.Module
    images : Images
    subjects : int
        Number of subjects in the population.
    loss : str
        Name of a loss.

    Returns
    -------
    losses, accuracies : Tensor, (subject,)
    """
    of_samples = LOSSES[loss]()
    population.eval()
    total = images.stimuli.new_zeros(subjects, dtype=torch.float64)
    correct = torch.zeros_like(total)
    for first in range(0, len(images.labels), _IMAGES_AT_ONCE):
        stimuli = images.stimuli[first : first + _IMAGES_AT_ONCE]
        labels = images.labels[first : first + _IMAGES_AT_ONCE].unsqueeze(1)
        scores = population(stimuli.repeat(1, subjects, 1, 1)).view(len(labels), subjects, -1)
        each = of_samples(scores, labels.expand(-1, subjects)).mean(0)
        total += each.double() * len(labels)
        correct += (scores.argmax(-1) == labels).sum(0)
    population.train()
    return total / len(images.labels), correct / len(images.labels)
