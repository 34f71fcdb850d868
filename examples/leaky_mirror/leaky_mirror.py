"""A rule of our own."""

from dataclasses import dataclass
from typing import ClassVar

from virtuallab.fields import NonNegativeFloat, setting
from virtuallab.registry import RULES
from virtuallab.subject.learning.error_feedback import ReturnedError
from virtuallab.subject.learning.layer_view import Local
from virtuallab.subject.learning.locality import Need
from virtuallab.subject.network.synapse import Weight


@RULES.register("leaky_mirror")
@dataclass(frozen=True, kw_only=True)
class LeakyMirror(ReturnedError):
    """The backward weight follows the forward one: dB = rate (W - B)."""

    feedback: ClassVar[bool] = True  # it has backward weights
    needs: ClassVar[tuple[Need, ...]] = (Need.INPUT, Need.LEARNED_ERROR, Need.WEIGHT_ESTIMATE)

    rate: NonNegativeFloat = setting(0.1, doc="Speed of closing the gap, times the learning rate.")

    def backward_step(self, at: Local) -> Weight:
        """Descend the gap: the optimizer subtracts this."""
        return at.weigh(self.rate, at.backward - at.forward)
