"""Normalised temperature-scaled cross-entropy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import torch

from virtuallab.fields import PositiveFloat, setting
from virtuallab.registry import LOSSES
from virtuallab.subject.loss import Loss


@LOSSES.register("nt_xent")
@dataclass(frozen=True, kw_only=True)
class NTXent(Loss):
    r"""Cross-entropy of finding the other view of an image among all other samples of the batch.

    .. math:: L_i = -\log \frac{e^{s_{ip}}}{\sum_{j \ne i} e^{s_{ij}}}, \qquad
              s_{ij} = \frac{z_i^\top z_j}{\tau \, \|z_i\| \, \|z_j\|}

    where sample :math:`p` shows the other view of the image of sample :math:`i`. The batch is that
    of one subject.

    References
    ----------
    Chen et al. 2020, "A Simple Framework for Contrastive Learning of Visual Representations".
    """

    targets: ClassVar[Literal["views"]] = "views"

    temperature: PositiveFloat = setting(0.5, doc="Divisor of the similarities.")

    def __call__(self, scores: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """Loss of each sample, ``(batch, subject)``; the targets are not used."""
        unit = torch.nn.functional.normalize(scores.transpose(0, 1), dim=2)
        similarity = torch.bmm(unit, unit.transpose(1, 2)) / self.temperature
        size = len(scores)
        own = torch.eye(size, dtype=torch.bool, device=scores.device)
        similarity = similarity.masked_fill(own, -torch.inf)
        other = torch.arange(size, device=scores.device).roll(size // 2)
        losses = torch.nn.functional.cross_entropy(
            similarity.flatten(0, 1), other.repeat(len(unit)), reduction="none"
        )
        return losses.view(len(unit), size).T
