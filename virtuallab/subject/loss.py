"""Base class of losses, which subjects minimise."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import jaxtyping as jt
import torch


@dataclass(frozen=True, kw_only=True)
class Loss(ABC):
    """Loss of each sample, from the scores of a network and the true classes.

    Attributes
    ----------
    name : str
        Name in protocols.
    """

    name: ClassVar[str]

    @abstractmethod
    def __call__(
        self,
        scores: jt.Float[torch.Tensor, "batch subject class"],
        labels: jt.Int[torch.Tensor, "batch subject"],
    ) -> jt.Float[torch.Tensor, "batch subject"]:
        """Loss of each sample, which depends on the scores and the label of this sample alone.

        Parameters
        ----------
        scores : Tensor, (batch, subject, class)
        labels : Tensor of int, (batch, subject)

        Returns
        -------
        Tensor, (batch, subject)
        """
