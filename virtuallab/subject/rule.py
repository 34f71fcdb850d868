"""What a plasticity rule is: how the error comes down, and how the two weights change."""

from __future__ import annotations

import copy
import dataclasses
import enum
from abc import ABC
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar

import torch

from virtuallab.subject.local import Local
from virtuallab.subject.synapse import Weight

Settings = TypeVar("Settings")


class Credit(enum.Enum):
    """How the error reaches a layer."""

    WEIGHT_TRANSPORT = "through the forward weight itself"
    FEEDBACK = "through a backward weight of its own"


@dataclass(frozen=True, kw_only=True)
class Rule(ABC):
    """A plasticity rule: a small function of what is local to a layer.

    Steps are gradients: the optimizer subtracts them. A rule's numbers are its settings in a
    protocol; in a cohort each is a tensor with one value for each subject.
    """

    name: ClassVar[str]
    credit: ClassVar[Credit] = Credit.FEEDBACK
    local: ClassVar[bool]  # could a synapse compute it from what reaches it?
    watches: ClassVar[bool] = False  # does `backward_step` need what the layer saw?

    def forward_step(self, at: Local) -> Weight:
        """Return the forward weight's step; the pseudogradient unless a rule says otherwise."""
        return at.pseudogradient

    def backward_step(self, at: Local) -> Weight | None:
        """Return the step of the backward weight; None where it is fixed."""
        return None


def stack(settings: Sequence[Settings], dtype: torch.dtype, device: str = "cpu") -> Settings:
    """Join the settings of a cohort: every number becomes a tensor ``(subject,)``.

    Parameters
    ----------
    settings : sequence of one dataclass
        A rule or an optimizer for each subject.
    """
    joined = copy.copy(settings[0])
    for field in dataclasses.fields(joined):  # type: ignore[arg-type]
        values: list[Any] = [getattr(each, field.name) for each in settings]
        if isinstance(values[0], float):
            stacked = torch.tensor(values, dtype=dtype, device=device)
            object.__setattr__(joined, field.name, stacked)
        elif any(value != values[0] for value in values):
            raise ValueError(f"{field.name} must be the same in a cohort, found {values}")
    return joined
