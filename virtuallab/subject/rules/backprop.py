"""Backpropagation."""

from __future__ import annotations

from dataclasses import dataclass

from virtuallab.registry import RULES
from virtuallab.subject.learning.error_feedback import ErrorFeedback
from virtuallab.subject.learning.locality import ErrorReturn, Need
from virtuallab.subject.rule import GradientAngle


@RULES.register("backprop")
@dataclass(frozen=True, kw_only=True)
class Backprop(ErrorFeedback):
    r"""Backpropagation: the error returns through the forward weights themselves.

    .. math:: \delta_{l-1} = \delta_l W_l^\top, \qquad \Delta W_l \propto X_l^\top \delta_l

    Not local: a synapse would have to know the strength of another (weight transport).

    References
    ----------
    Rumelhart, Hinton and Williams 1986, "Learning representations by back-propagating errors".
    """

    needs = (Need.INPUT, Need.FORWARD_WEIGHTS)
    gradient_angle = GradientAngle(initial=(0.0, 0.0), trained=(0.0, 0.0))
    error_return = ErrorReturn.FORWARD_WEIGHTS
