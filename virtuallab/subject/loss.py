"""Base class of losses, which subjects minimise."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar, Literal

import jaxtyping as jt
import torch


@dataclass(frozen=True, kw_only=True)
class Loss(ABC):
    """Loss of each sample, from the scores of a network and their targets.

    Attributes
    ----------
    name : str
        Name in protocols.
    targets : {"classes", "values", "views"}
        What the scores are compared with. With ``"views"`` the second half of a batch shows other
        views of the images of the first half, in the same order, and the loss of a sample depends
        on the scores of the whole batch.
    """

    name: ClassVar[str]
    targets: ClassVar[Literal["classes", "values", "views"]] = "classes"

    @abstractmethod
    def __call__(
        self,
        scores: jt.Float[torch.Tensor, "batch subject class"],
        targets: torch.Tensor,
    ) -> jt.Float[torch.Tensor, "batch subject"]:
        """Loss of each sample, which depends on the scores and the target of this sample alone.

        Parameters
        ----------
        scores : Tensor, (batch, subject, class)
        targets : Tensor
            Classes, int, ``(batch, subject)``; or values, ``(batch, subject, output)``.

        Returns
        -------
        Tensor, (batch, subject)
        """

    def with_error(
        self, scores: torch.Tensor, targets: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Loss of each sample, and the error: the gradient of the mean over samples.

        The error is the sum over subjects of the gradient of each subject's mean loss, and here by
        automatic differentiation.

        Parameters
        ----------
        scores : Tensor, (batch, subject, class)
        targets : Tensor, (batch, subject) or (batch, subject, output)
            Classes, int; or values.

        Returns
        -------
        losses : Tensor, (batch, subject)
        error : Tensor, (batch, subject, class)
        """
        with torch.enable_grad():
            leaf = scores.detach().requires_grad_()
            losses = self(leaf, targets)
            [error] = torch.autograd.grad(losses.mean(0).sum(), [leaf])
        return losses.detach(), error
