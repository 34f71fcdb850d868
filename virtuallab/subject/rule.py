"""Base class of plasticity rules, which compute a step of every weight from a batch of images."""

from __future__ import annotations

import copy
import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, TypeVar

import torch

from virtuallab.fields import float_fields
from virtuallab.subject.learning.locality import ErrorReturn, Need, Objective
from virtuallab.subject.network.network import Network

Settings = TypeVar("Settings")


@dataclass(frozen=True)
class Updates:
    """Result of a rule on one batch, with steps that are gradients: the optimizer subtracts them.

    Parameters
    ----------
    losses : Tensor, (subject,)
        Mean loss over the batch.
    forward : list of Tensor or None
        A step for each of the network's ``parameters``; None if none of them changes now.
    backward : list of Tensor or None
        A step for each layer's backward weight; None if none of them changes now.
    """

    losses: torch.Tensor
    forward: list[torch.Tensor] | None
    backward: list[torch.Tensor] | None = None


@dataclass(frozen=True)
class GradientAngle:
    """Promise of a rule: bounds of the angle between its steps and the gradient of the loss.

    The angle is the mean over the hidden layers of a small multilayer perceptron and over subjects,
    for the rule's default settings. It is 0 degrees for the gradient itself, and 90 degrees on
    average for steps that are independent of it.
    :func:`virtuallab.testing.rule_promises.gradient_angles` measures it.

    Parameters
    ----------
    initial : tuple of float
        Lowest and highest angle before training, in degrees.
    trained : tuple of float or None
        Lowest and highest angle after 400 training steps, in degrees; None if the rule does not
        promise one.
    """

    initial: tuple[float, float]
    trained: tuple[float, float] | None = None

    # How the bounds of the rules in this package were chosen: the angle was measured in 10 groups
    # of 16 subjects, with seeds 100 to 109; the check has another seed. Bounds are the mean over
    # groups minus and plus 4 standard deviations of the groups, at least 3 degrees. The angle of
    # rules that follow noise is below 90 on average, so their upper bound is at most 90.


@dataclass(frozen=True, kw_only=True)
class Rule(ABC):
    """A plasticity rule; its fields are its settings in a protocol.

    In a cohort each real number is a tensor with one value for each subject. Most rules derive from
    one of the families in :mod:`virtuallab.subject.learning` and define only what one layer does.

    Attributes
    ----------
    name : str
        Name in protocols.
    needs : tuple of Need
        Information that has to reach a synapse; it determines whether the rule is local.
    gradient_angle : GradientAngle or None
        Bounds of the angle between the rule's steps and the gradient; None if the rule does not
        promise to follow it.
    error_return : ErrorReturn or None
        How the error reaches the hidden layers. Reports group rules by it; a rule that declares
        None forms a group of its own.
    objective : Objective or None
        What the hidden layers learn to improve; as ``error_return``.
    feedback : bool
        Whether each layer has a backward weight.
    dense_only : bool
        Whether the rule is undefined for convolutions.
    needs_classes : bool
        Whether the rule uses the class of an image itself, beside its loss.
    needs_own_loss : bool
        Whether the rule assigns a change of a sample's loss to the activity in this sample alone.
    allows_mixed_precision : bool
        Whether the rule can be used with mixed precision. It cannot if steps follow differences of
        nearly equal numbers, such as the losses of two passes, which bfloat16 cannot resolve.
    """

    name: ClassVar[str]
    needs: ClassVar[tuple[Need, ...]] = ()
    gradient_angle: ClassVar[GradientAngle | None] = None
    error_return: ClassVar[ErrorReturn | None] = None
    objective: ClassVar[Objective | None] = None
    feedback: ClassVar[bool] = False
    dense_only: ClassVar[bool] = False
    needs_classes: ClassVar[bool] = False
    needs_own_loss: ClassVar[bool] = False
    allows_mixed_precision: ClassVar[bool] = True

    @property
    def learns_feedback(self) -> bool:
        """True if the backward weights change by steps."""
        return False

    @property
    def first_forward_step(self) -> int:
        """First training step at which the forward weights learn."""
        return 0

    @property
    def shares_decay(self) -> bool:
        """True if the weight decay of the forward weights acts on the backward weights too."""
        return False

    @property
    def forward_decay(self) -> float | torch.Tensor:
        """Weight decay of the forward weights by the rule itself, a number or ``(subject,)``."""
        return 0.0

    def forward_updates(self, steps: int) -> int:
        """Return how many of the first ``steps`` training steps change the forward weights.

        Parameters
        ----------
        steps : int
        """
        return steps

    def loss_incompatibility(self, loss: str) -> str | None:
        """Reason why the rule cannot be used with a loss; None if it can.

        A rule that takes its error from the gradient of the network's losses can use any. One with
        an error of its own must refuse other losses, on which its updates would not depend.

        Parameters
        ----------
        loss : str
            Name of the loss that the subjects would minimise.

        Returns
        -------
        str or None
        """
        return None

    @abstractmethod
    def compute_updates(
        self, network: Network, stimuli: torch.Tensor, labels: torch.Tensor, step: int
    ) -> Updates:
        """Steps of the weights for one batch.

        Parameters
        ----------
        network : Network
        stimuli : Tensor, (batch, subject*channel, height, width)
        labels : Tensor, (batch, subject)
        step : int
            Number of training steps before this one.

        Returns
        -------
        Updates

        Notes
        -----
        With mixed precision, this method runs in a context of :class:`torch.autocast`: signals may
        be in bfloat16, and products of matrices are. Steps are in the precision of the weights.
        """


def stack_settings(
    settings: Sequence[Settings], dtype: torch.dtype, device: str = "cpu"
) -> Settings:
    """Join the settings of a cohort: every real number becomes a tensor ``(subject,)``.

    Parameters
    ----------
    settings : sequence of one dataclass
        A rule or an optimizer for each subject.
    dtype : torch.dtype
    device : str

    Raises
    ------
    ValueError
        If they differ in a setting that is no real number.
    """
    joined = copy.copy(settings[0])
    for name in list(vars(joined)):
        if isinstance(getattr(type(joined), name, None), cached_property):
            del vars(joined)[name]  # computed from the settings of one subject
    numbers = float_fields(type(joined))  # type: ignore[arg-type]
    for field in dataclasses.fields(joined):  # type: ignore[arg-type]
        values = [getattr(each, field.name) for each in settings]
        if field.name in numbers:
            stacked = torch.tensor(values, dtype=dtype, device=device)
            object.__setattr__(joined, field.name, stacked)
        elif any(value != values[0] for value in values):
            raise ValueError(f"{field.name} must be the same in a cohort, found {values}")
    return joined
