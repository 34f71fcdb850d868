"""Base class of losses: what subjects minimise."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import jaxtyping as jt
import torch


@dataclass(frozen=True, kw_only=True)
class Loss(ABC):
    """The loss of each sample, from the scores of a network and the true classes."""

    name: ClassVar[str]

    @abstractmethod
    def __call__(
        self,
        scores: jt.Float[torch.Tensor, "batch subject class"],
        labels: jt.Int[torch.Tensor, "batch subject"],
    ) -> jt.Float[torch.Tensor, "batch subject"]:
        """Return the loss of each sample."""
