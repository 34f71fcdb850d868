"""Information alignment."""

from __future__ import annotations

from dataclasses import dataclass

from virtuallab.fields import NonNegativeFloat, setting
from virtuallab.registry import RULES
from virtuallab.subject.learning.alignment import ActivityAlignment
from virtuallab.subject.learning.locality import Need
from virtuallab.subject.rule import GradientAngle


@RULES.register("information_alignment")
@dataclass(frozen=True, kw_only=True)
class InformationAlignment(ActivityAlignment):
    r"""Information alignment: the backward weight learns to decode the layer's own output.

    .. math:: \Delta B \propto \alpha\, W^\top C - 2\beta\, W^\top C W B - 2\gamma B,
              \qquad C = \tfrac1N X^\top X

    Local: it needs the layer's input, its linear response, and that response sent back through
    ``B``. At rest ``B`` is the ridge-regression decoder of the input from the response. Not to be
    confused with weight mirror, which lacks the null term and is unbounded.

    References
    ----------
    Kunin et al. 2020, "Two Routes to Scalable Credit Assignment without Weight Symmetry",
    sections 3 and 4.
    """

    needs = (Need.INPUT, Need.RESPONSE, Need.LEARNED_ERROR, Need.RESPONSE_SENT_BACK)
    gradient_angle = GradientAngle(initial=(80.0, 100.0), trained=(53.0, 74.0))

    amp: NonNegativeFloat = setting(
        2e-2, doc="Strength of growth along the forward weight; published 2e-3 over 10^6 steps."
    )
    null: NonNegativeFloat = setting(
        1e-2, doc="Strength of the bound on the reconstruction; half the paper's coefficient."
    )
    decay: NonNegativeFloat = setting(
        1e-2, doc="Strength of forgetting; half the paper's coefficient."
    )
