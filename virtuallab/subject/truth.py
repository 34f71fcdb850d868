"""What no experimenter can see of a subject: how well it does."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

from virtuallab.subject.task import Images

_IMAGES_AT_ONCE = 128


@torch.no_grad()
def performance(
    population: nn.Module, images: Images, subjects: int
) -> tuple[Float[Tensor, " subject"], Float[Tensor, " subject"]]:
    """Mean cross-entropy in nats, and accuracy, of each subject on the same images.

    The population is put into evaluation mode and back into training mode.
    """
    population.eval()
    loss = images.stimuli.new_zeros(subjects, dtype=torch.float64)
    correct = torch.zeros_like(loss)
    for first in range(0, len(images.labels), _IMAGES_AT_ONCE):
        stimuli = images.stimuli[first : first + _IMAGES_AT_ONCE]
        labels = images.labels[first : first + _IMAGES_AT_ONCE]
        scores = population(stimuli.repeat(1, subjects, 1, 1)).view(len(labels), subjects, -1)
        each = cross_entropy(scores, labels.unsqueeze(1).expand(-1, subjects))
        loss += each.double() * len(labels)
        correct += (scores.argmax(-1) == labels.unsqueeze(1)).sum(0)
    population.train()
    return loss / len(images.labels), correct / len(images.labels)


def cross_entropy(
    scores: Float[Tensor, "batch subject classes"], labels: Tensor
) -> Float[Tensor, " subject"]:
    """Softmax cross-entropy in nats, averaged over the batch; labels ``(batch, subject)``."""
    return sample_losses(scores, labels).mean(0)


def sample_losses(
    scores: Float[Tensor, "batch subject classes"], labels: Tensor
) -> Float[Tensor, "batch subject"]:
    """Softmax cross-entropy of each sample in nats; labels ``(batch, subject)``."""
    losses = torch.nn.functional.cross_entropy(
        scores.flatten(0, 1), labels.reshape(-1), reduction="none"
    )
    return losses.view(scores.shape[:2])
