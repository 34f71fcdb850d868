"""Softmax cross-entropy."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from virtuallab.registry import LOSSES
from virtuallab.subject.loss import Loss


@LOSSES.register("cross_entropy")
@dataclass(frozen=True, kw_only=True)
class CrossEntropy(Loss):
    r"""Softmax cross-entropy of each sample, in nats.

    .. math:: L = -\log \frac{e^{z_y}}{\sum_k e^{z_k}}, \qquad
              \partial L / \partial z_k = \frac{e^{z_k}}{\sum_j e^{z_j}} - [k = y]

    References
    ----------
    Bridle 1990, "Probabilistic Interpretation of Feedforward Classification Network Outputs, with
    Relationships to Statistical Pattern Recognition".
    """

    def __call__(self, scores: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """Loss of each sample, ``(batch, subject)``."""
        losses = torch.nn.functional.cross_entropy(
            scores.flatten(0, 1), targets.reshape(-1), reduction="none"
        )
        return losses.view(scores.shape[:2])

    def with_error(
        self, scores: torch.Tensor, targets: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Losses and error from one softmax, without automatic differentiation."""
        if type(self).__call__ is not CrossEntropy.__call__:  # a loss that was derived from this
            return super().with_error(scores, targets)
        aten = torch.ops.aten
        rows, classes = scores.flatten(0, 1), targets.reshape(-1)
        likelihoods = torch.log_softmax(rows, 1)
        losses, weight = aten.nll_loss_forward(likelihoods, classes, None, 0, -100)
        share = torch.full_like(losses, 1 / len(scores))
        error = aten.nll_loss_backward(share, likelihoods, classes, None, 0, -100, weight)
        error = aten._log_softmax_backward_data(error, likelihoods, 1, rows.dtype)
        return losses.view(scores.shape[:2]), error.view_as(scores)
