"""Squared error."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from virtuallab.registry import LOSSES
from virtuallab.subject.loss import Loss


@LOSSES.register("squared_error")
@dataclass(frozen=True, kw_only=True)
class SquaredError(Loss):
    r"""Half the squared distance of each sample's scores from its one-hot target.

    .. math:: L = \tfrac12 \sum_k (z_k - y_k)^2, \qquad \partial L / \partial z = z - y

    The scores are used without a softmax, so the error at the output is linear in the scores and
    does not vanish where the output is wrong and confident. The publication averages over classes;
    here they are summed, so that the contribution of a class does not depend on the number of
    classes, and the error is as large as that of cross-entropy.

    References
    ----------
    Hui and Belkin 2021, "Evaluation of Neural Architectures Trained with Square Loss vs
    Cross-Entropy in Classification Tasks".
    """

    def __call__(self, scores: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """Loss of each sample, ``(batch, subject)``."""
        target = torch.nn.functional.one_hot(targets, scores.shape[2]).to(scores.dtype)
        return (scores - target).square().sum(2) / 2
