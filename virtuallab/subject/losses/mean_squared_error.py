"""Mean squared error."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import torch

from virtuallab.registry import LOSSES
from virtuallab.subject.loss import Loss


@LOSSES.register("mean_squared_error")
@dataclass(frozen=True, kw_only=True)
class MeanSquaredError(Loss):
    r"""Squared difference between each sample's scores and their values, averaged over the outputs.

    .. math:: L = \frac1K \sum_k (z_k - t_k)^2, \qquad
              \partial L / \partial z_k = \tfrac2K (z_k - t_k)

    The loss of tasks whose targets are values: regression and reconstruction.

    References
    ----------
    Rumelhart et al. 1986, "Learning Representations by Back-Propagating Errors".
    """

    targets: ClassVar[Literal["values"]] = "values"

    def __call__(self, scores: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """Loss of each sample, ``(batch, subject)``."""
        return (scores - targets).square().mean(2)
