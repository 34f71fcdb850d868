"""Base class of optimizers, and the application of a rule's updates to the weights."""

from __future__ import annotations

import copy
import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import torch

from virtuallab.fields import NonNegativeFloat, PositiveFloat, setting
from virtuallab.subject.network.random_streams import RandomStreams
from virtuallab.subject.network.signals import per_subject

State = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Optimizer(ABC):
    """An optimizer with settings of its own for each subject.

    In a cohort every real-numbered setting is a tensor ``(subject,)``.

    Parameters
    ----------
    learning_rate : float or Tensor, (subject,)
        Step size.

    Attributes
    ----------
    name : str
        Name in protocols.
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

    @cached_property
    def noise_kinds(self) -> tuple[bool, bool]:
        """Pair of bools: any subject has noise in learning rates, and in proportion to changes."""
        sizes = (self.noise, self.noise_fraction)
        return bool(torch.as_tensor(sizes[0]).any()), bool(torch.as_tensor(sizes[1]).any())

    @cached_property
    def decays(self) -> bool:
        """True if any subject has a weight decay."""
        return bool(torch.as_tensor(getattr(self, "weight_decay", 0.0)).any())

    @abstractmethod
    def init(self, parameters: Sequence[torch.Tensor]) -> State:
        """State before the first step.

        Parameters
        ----------
        parameters : sequence of Tensor, (subject, ...)

        Returns
        -------
        dict
            Numbers, and lists of tensors ``(subject, ...)``.
        """

    @abstractmethod
    def update(
        self, parameters: Sequence[torch.Tensor], steps: Sequence[torch.Tensor], state: State
    ) -> None:
        """Change the parameters and the state in place.

        Parameters
        ----------
        parameters, steps : sequence of Tensor, (subject, ...)
            Steps are gradients: they are subtracted. They must not be changed.
        state : dict
            As :meth:`init` returned it.
        """


def apply_updates(
    optimizer: Optimizer,
    parameters: Sequence[torch.Tensor],
    steps: Sequence[torch.Tensor],
    state: State,
    streams: RandomStreams,
) -> None:
    """Update the parameters and the state in place, with the optimizer's noise.

    Each kind of noise has streams of its own, which are drawn for all subjects even if only some
    have this noise; so one kind does not change the draws of the other.

    Parameters
    ----------
    optimizer : Optimizer
        With settings of all subjects.
    parameters, steps : sequence of Tensor, (subject, ...)
        Steps are gradients: they are subtracted.
    state : dict
        As the optimizer's ``init`` returned it.
    streams : RandomStreams
        Source of the noise.

    References
    ----------
    Kunin et al. 2020, "Two Routes to Scalable Credit Assignment without Weight Symmetry",
    section 6, for noise in units of the learning rate.
    """
    absolute, relative = optimizer.noise_kinds
    before = [p.detach().clone() for p in parameters] if relative else []
    optimizer.update(parameters, steps, state)
    for was, now in zip(before, parameters, strict=False):
        xi = streams.for_purpose("in proportion").normal(now.shape[1:], now)
        now += per_subject(optimizer.noise_fraction, now) * (now - was) * xi
    if absolute:
        for now in parameters:
            xi = streams.for_purpose("in absolute terms").normal(now.shape[1:], now)
            now += per_subject(optimizer.learning_rate * optimizer.noise, now) * xi


def with_scaled_rates(optimizer: Optimizer, factors: torch.Tensor | None) -> Optimizer:
    """Return the optimizer of a cohort with other learning rates.

    Parameters
    ----------
    optimizer : Optimizer
        With settings of all subjects.
    factors : Tensor, (subject,), or None
        Factor of each subject's learning rate; None if none changes.

    Returns
    -------
    Optimizer
    """
    if factors is None:
        return optimizer
    scaled = copy.copy(optimizer)
    # Not `dataclasses.replace`: checks of a plug-in may refuse tensors.
    object.__setattr__(scaled, "learning_rate", optimizer.learning_rate * factors)
    return scaled


def backward_optimizer(
    forward: Optimizer, own: Optimizer | None, *, shares_decay: bool
) -> Optimizer:
    """Optimizer of a subject's backward weights.

    The decay of backward weights is part of the rule, so the weight decay of the forward weights'
    optimizer is left out, unless the rule requires both weights to decay alike.

    Parameters
    ----------
    forward : Optimizer
        Of the forward weights.
    own : Optimizer or None
        Of the backward weights, if the protocol gives one.
    shares_decay : bool
        Whether the forward weights' decay acts on the backward weights too.

    Returns
    -------
    Optimizer
    """
    if own is not None and not shares_decay:
        return own
    chosen = forward if own is None else own
    if not any(field.name == "weight_decay" for field in dataclasses.fields(chosen)):
        return chosen
    decay = getattr(forward, "weight_decay", 0.0) if shares_decay else 0.0
    changed: dict[str, Any] = {"weight_decay": decay}
    return dataclasses.replace(chosen, **changed)
