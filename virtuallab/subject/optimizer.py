"""How a step becomes a change: functions of parameters, steps and state."""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import torch

from virtuallab.fields import NonNegativeFloat, PositiveFloat, setting
from virtuallab.subject.network.signals import spread

if TYPE_CHECKING:
    from virtuallab.subject.network.random_streams import Streams

State = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Optimizer(ABC):
    """An optimizer with settings of its own for each subject.

    Parameters are tensors with a leading subject axis; in a cohort every number is a tensor
    ``(subject,)``.
    """

    name: ClassVar[str]
    learning_rate: PositiveFloat
    noise: NonNegativeFloat = setting(
        0.0,
        unit="learning rates",
        doc="Standard deviation of Gaussian noise in every change, times the learning rate; as "
        "published it does not depend on the size of the change.",
    )
    noise_fraction: NonNegativeFloat = setting(
        0.0,
        doc="Standard deviation of Gaussian noise in every change, as a fraction of that change.",
    )

    @abstractmethod
    def init(self, parameters: Sequence[torch.Tensor]) -> State:
        """State before the first step."""

    @abstractmethod
    def update(
        self, parameters: Sequence[torch.Tensor], steps: Sequence[torch.Tensor], state: State
    ) -> None:
        """Change the parameters, and the state, in place."""


def change(
    optimizer: Optimizer,
    parameters: Sequence[torch.Tensor],
    steps: Sequence[torch.Tensor],
    state: State,
    streams: Streams,
) -> None:
    """Update the parameters in place, with the optimizer's noise.

    Each kind of noise has streams of its own: a subject without one of them draws it in vain beside
    a neighbour who has it, and its other noise is none the wiser.

    References
    ----------
    Kunin et al. 2020, "Two Routes to Scalable Credit Assignment without Weight Symmetry",
    section 6, for noise in units of the learning rate.
    """
    absolute, relative = (
        bool(torch.as_tensor(size).any()) for size in (optimizer.noise, optimizer.noise_fraction)
    )
    before = [p.detach().clone() for p in parameters] if relative else []
    optimizer.update(parameters, steps, state)
    for was, now in zip(before, parameters, strict=False):
        xi = streams.of("in proportion").normal(now.shape[1:], now)
        now += spread(optimizer.noise_fraction, now) * (now - was) * xi
    if absolute:
        for now in parameters:
            xi = streams.of("in absolute terms").normal(now.shape[1:], now)
            now += spread(optimizer.learning_rate * optimizer.noise, now) * xi


def for_backward_weights(
    forward: Optimizer, own: Optimizer | None, *, shares_decay: bool
) -> Optimizer:
    """Return what changes the backward weights of a subject.

    Forgetting of backward weights is the rule's business, so the weight decay of the forward
    weights' optimizer is left out; unless the rule wants both weights to decay alike.

    Parameters
    ----------
    forward : Optimizer
        Of the forward weights.
    own : Optimizer or None
        Of the backward weights, where they have one of their own.
    shares_decay : bool
        Whether the forward weights' decay acts on the backward ones too.
    """
    if own is not None and not shares_decay:
        return own
    chosen = forward if own is None else own
    if not any(field.name == "weight_decay" for field in dataclasses.fields(chosen)):
        return chosen
    changed: dict[str, Any] = {
        "weight_decay": getattr(forward, "weight_decay", 0.0) if shares_decay else 0.0
    }
    return dataclasses.replace(chosen, **changed)
