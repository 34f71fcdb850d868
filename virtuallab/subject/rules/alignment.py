"""Alignment rule composed in the protocol."""

from __future__ import annotations

from dataclasses import dataclass

from virtuallab.fields import NonNegativeFloat, setting
from virtuallab.registry import RULES
from virtuallab.subject.learning.alignment import ActivityAlignment
from virtuallab.subject.learning.locality import Need
from virtuallab.subject.rule import GradientAngle


@RULES.register("alignment")
@dataclass(frozen=True, kw_only=True)
class ComposedAlignment(ActivityAlignment):
    r"""Alignment by any weighted sum of the alignment primitives.

    .. math:: \Delta B \propto \alpha_{amp} W^\top C - 2\alpha_{null} W^\top C W B
              - 2\alpha_{decay} B - 2\alpha_{sparse} B C + \alpha_{self} W^\top

    It is local if *sparse* and *self* are zero: *decay*, *amp* and *null* are local. With all
    strengths at zero, the default, it is feedback alignment.

    References
    ----------
    Kunin et al. 2020, "Two Routes to Scalable Credit Assignment without Weight Symmetry",
    section 3.
    """

    needs = (
        *(Need.INPUT, Need.RESPONSE, Need.LEARNED_ERROR, Need.RESPONSE_SENT_BACK),
        *(Need.RESPONSE_ABOVE, Need.WEIGHT_ESTIMATE),
    )
    gradient_angle = GradientAngle(initial=(80.0, 102.0), trained=(58.0, 73.0))

    decay: NonNegativeFloat = setting(0.0, doc="Strength of forgetting. Local.")
    amp: NonNegativeFloat = setting(0.0, doc="Strength of growth along the forward weight. Local.")
    null: NonNegativeFloat = setting(0.0, doc="Strength of the bound on reconstruction. Local.")
    sparse: NonNegativeFloat = setting(
        0.0, doc="Strength of the bound on the upward response. Not local."
    )
    self: NonNegativeFloat = setting(
        0.0, doc="Strength of the pull along the forward weight. Not local."
    )
