"""Direct feedback alignment."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from virtuallab.registry import RULES
from virtuallab.subject.learning.broadcast_error import BroadcastError
from virtuallab.subject.learning.locality import Need
from virtuallab.subject.rule import GradientAngle


@RULES.register("direct_feedback_alignment")
@dataclass(frozen=True, kw_only=True)
class DirectFeedbackAlignment(BroadcastError):
    r"""Direct feedback alignment: the output's error reaches every layer through random weights.

    .. math:: \delta_l = (e\, B_l) \circ \varphi'(Z_l), \qquad e = \partial L / \partial Z_{out}

    Local. Not to be confused with feedback alignment, whose error comes down layer by layer.

    References
    ----------
    Nøkland 2016, "Direct Feedback Alignment Provides Learning in Deep Neural Networks".
    """

    needs = (Need.INPUT, Need.OUTPUT_ERROR)
    gradient_angle = GradientAngle(initial=(85.0, 94.0), trained=(45.0, 63.0))

    def signal(
        self, scores: torch.Tensor, error: torch.Tensor, labels: torch.Tensor
    ) -> torch.Tensor:
        """Return the error at the output, ``(batch, subject, class)``."""
        return error
