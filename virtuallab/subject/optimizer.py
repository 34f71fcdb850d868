"""How a step becomes a change: pure functions of parameters, steps and state."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from torch import Tensor

from virtuallab.fields import PositiveFloat

State = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Optimizer(ABC):
    """An optimizer with settings of its own for each subject.

    Parameters are tensors with a leading subject axis; in a cohort every number is a tensor
    ``(subject,)``.
    """

    name: ClassVar[str]
    learning_rate: PositiveFloat

    @abstractmethod
    def init(self, parameters: Sequence[Tensor]) -> State:
        """State before the first step."""

    @abstractmethod
    def update(self, parameters: Sequence[Tensor], steps: Sequence[Tensor], state: State) -> None:
        """Change the parameters, and the state, in place."""
