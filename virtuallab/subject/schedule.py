"""Base class of schedules, which change the learning rate during training."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, kw_only=True)
class LearningRateSchedule(ABC):
    """A factor of the learning rate that depends on the progress of training.

    It multiplies the learning rate of the optimizer at each training step, for forward and backward
    weights alike. Momentum and running averages of the optimizer are not changed.

    Attributes
    ----------
    name : str
        Name in protocols.
    """

    name: ClassVar[str]

    @abstractmethod
    def factor(self, progress: float) -> float:
        """Return the factor of the learning rate in a training step.

        Parameters
        ----------
        progress : float
            Share of the training steps that were made before this one, from 0 to 1.

        Returns
        -------
        float
            Finite, 0 or greater.
        """
