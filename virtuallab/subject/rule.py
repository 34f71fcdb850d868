"""What a plasticity rule is: from one batch of images, a step for every weight."""

from __future__ import annotations

import copy
import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, TypeVar

import torch

from virtuallab.fields import float_fields
from virtuallab.subject.needs import Need

if TYPE_CHECKING:
    from virtuallab.subject.network import Network

Settings = TypeVar("Settings")


@dataclass(frozen=True)
class Lesson:
    """What a rule makes of one batch.

    Steps are gradients: the optimizer subtracts them.

    Parameters
    ----------
    losses : Tensor, (subject,)
        Mean loss over the batch.
    forward : list of Tensor or None
        A step for each of the network's ``parameters``; None: none of them changes now.
    backward : list of Tensor or None
        A step for each layer's backward weight; None: none of them changes now.
    """

    losses: torch.Tensor
    forward: list[torch.Tensor] | None
    backward: list[torch.Tensor] | None = None


@dataclass(frozen=True, kw_only=True)
class Rule(ABC):
    """A plasticity rule: a value, whose numbers are its settings in a protocol.

    In a cohort each number is a tensor with one value for each subject. Most rules are written on
    one of the families in :mod:`virtuallab.subject.credit` and say only what one layer does.
    """

    name: ClassVar[str]
    needs: ClassVar[tuple[Need, ...]] = ()  # what has to reach a synapse
    feedback: ClassVar[bool] = False  # does each layer have a backward weight?
    dense_only: ClassVar[bool] = False

    @property
    def learns_feedback(self) -> bool:
        """Whether the backward weights change."""
        return False

    @property
    def teaching_step(self) -> int:
        """A training step at which the forward weights learn."""
        return 0

    @property
    def shares_decay(self) -> bool:
        """Whether the forward weights' optimizer makes the backward ones decay alike."""
        return False

    @property
    def forward_decay(self) -> float | torch.Tensor:
        """Weight decay of the forward weights that is the rule's own, beside the optimizer's."""
        return 0.0

    def forward_updates(self, steps: int) -> int:
        """Return how many of so many training steps change the forward weights.

        Parameters
        ----------
        steps : int
        """
        return steps

    def objection(self, loss: str) -> str | None:
        """Say why it cannot teach by a loss; None where it can.

        A rule that takes its losses from the network, or its error from their gradient, teaches by
        any. One with an error of its own objects to all but the loss that error belongs to: else
        subjects would be told apart by a loss that they never felt.

        Parameters
        ----------
        loss : str
            Name of what the subjects would minimise.
        """
        return None

    @abstractmethod
    def lesson(
        self, network: Network, stimuli: torch.Tensor, labels: torch.Tensor, step: int
    ) -> Lesson:
        """Show a batch to the subjects and say what becomes of their weights.

        Parameters
        ----------
        network : Network
        stimuli : Tensor, (batch, subject*channel, height, width)
        labels : Tensor, (batch, subject)
        step : int
            Training steps before this one.
        """


def stack(settings: Sequence[Settings], dtype: torch.dtype, device: str = "cpu") -> Settings:
    """Join the settings of a cohort: every number becomes a tensor ``(subject,)``.

    Parameters
    ----------
    settings : sequence of one dataclass
        A rule or an optimizer for each subject.
    """
    joined = copy.copy(settings[0])
    numbers = float_fields(type(joined))  # type: ignore[arg-type]
    for field in dataclasses.fields(joined):  # type: ignore[arg-type]
        values = [getattr(each, field.name) for each in settings]
        if field.name in numbers:
            stacked = torch.tensor(values, dtype=dtype, device=device)
            object.__setattr__(joined, field.name, stacked)
        elif any(value != values[0] for value in values):
            raise ValueError(f"{field.name} must be the same in a cohort, found {values}")
    return joined
