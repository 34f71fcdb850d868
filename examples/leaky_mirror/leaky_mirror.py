"""A rule of our own."""

from dataclasses import dataclass

import torch

from virtuallab.fields import NonNegativeFloat, setting
from virtuallab.registry import RULES
from virtuallab.subject.learning.error_feedback import ErrorFeedback
from virtuallab.subject.learning.layer_view import LayerView
from virtuallab.subject.learning.locality import ErrorReturn, Need
from virtuallab.subject.rule import GradientAngle


@RULES.register("leaky_mirror")
@dataclass(frozen=True, kw_only=True)
class LeakyMirror(ErrorFeedback):
    """The backward weight follows the forward one: dB = rate (W - B)."""

    feedback = True  # it has backward weights
    needs = (Need.INPUT, Need.LEARNED_ERROR, Need.WEIGHT_ESTIMATE)
    gradient_angle = GradientAngle(initial=(84.0, 96.0), trained=(17.0, 27.0))
    error_return = ErrorReturn.LEARNED_WEIGHTS

    rate: NonNegativeFloat = setting(0.1, doc="Speed of closing the gap, times the learning rate.")

    def backward_step(self, layer: LayerView) -> torch.Tensor:
        """Gradient of the gap: the optimizer subtracts this."""
        return layer.scale(self.rate, layer.backward_weight - layer.weight)
