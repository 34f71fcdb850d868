"""Feedback alignment."""

from __future__ import annotations

from dataclasses import dataclass

from virtuallab.registry import RULES
from virtuallab.subject.learning.error_feedback import ErrorFeedback
from virtuallab.subject.learning.locality import ErrorReturn, Need
from virtuallab.subject.rule import GradientAngle


@RULES.register("feedback_alignment")
@dataclass(frozen=True, kw_only=True)
class FeedbackAlignment(ErrorFeedback):
    r"""Feedback alignment: the error returns through fixed random weights.

    .. math:: \delta_{l-1} = \delta_l B_l, \qquad \Delta W_l \propto X_l^\top \delta_l,
              \qquad \Delta B_l = 0

    ``B`` is drawn from the forward weights' initialiser, independently of them. Not to be confused
    with direct feedback alignment, which sends the output error to every layer.

    References
    ----------
    Lillicrap et al. 2016, "Random synaptic feedback weights support error backpropagation for deep
    learning".
    """

    feedback = True
    needs = (Need.INPUT, Need.FIXED_ERROR)
    gradient_angle = GradientAngle(initial=(79.0, 102.0), trained=(53.0, 77.0))
    error_return = ErrorReturn.FIXED_WEIGHTS
