"""Softmax cross-entropy."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from virtuallab.registry import LOSSES
from virtuallab.subject.loss import Loss


@LOSSES.register("cross_entropy")
@dataclass(frozen=True, kw_only=True)
class CrossEntropy(Loss):
    """Softmax cross-entropy of each sample, in nats."""

    def __call__(self, scores: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Return the loss of each sample, ``(batch, subject)``."""
        losses = torch.nn.functional.cross_entropy(
            scores.flatten(0, 1), labels.reshape(-1), reduction="none"
        )
        return losses.view(scores.shape[:2])
