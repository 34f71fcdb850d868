"""Activation alignment."""

from __future__ import annotations

from dataclasses import dataclass

from virtuallab.fields import NonNegativeFloat, setting
from virtuallab.registry import RULES
from virtuallab.subject.learning.alignment import ActivityAlignment
from virtuallab.subject.learning.locality import Need
from virtuallab.subject.rule import GradientAngle


@RULES.register("activation_alignment")
@dataclass(frozen=True, kw_only=True)
class ActivationAlignment(ActivityAlignment):
    r"""Activation alignment: the backward weight learns to give the response of the forward weight.

    .. math:: \Delta B \propto \beta\, W^\top C - 2\alpha\, B C, \qquad C = \tfrac1N X^\top X

    With :math:`\beta = 2\alpha` this is the delta rule with the layer's response as the target: at
    rest :math:`B = W^\top` on the span of the inputs. Not local: ``B`` would have to carry the
    input upward. Not to be confused with symmetric alignment, which uses the weights themselves.

    References
    ----------
    Kunin et al. 2020, "Two Routes to Scalable Credit Assignment without Weight Symmetry",
    section 5.
    """

    needs = (Need.INPUT, Need.RESPONSE, Need.LEARNED_ERROR, Need.RESPONSE_ABOVE)
    gradient_angle = GradientAngle(initial=(82.0, 101.0), trained=(43.0, 58.0))

    amp: NonNegativeFloat = setting(
        0.1, doc="Strength of growth along the forward weight; published 2e-3 over 450,000 steps."
    )
    sparse: NonNegativeFloat = setting(
        0.05, doc="Strength of the bound on the upward response; half the paper's coefficient."
    )
