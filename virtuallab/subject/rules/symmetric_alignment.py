"""Symmetric alignment."""

from __future__ import annotations

from dataclasses import dataclass

from virtuallab.fields import NonNegativeFloat, setting
from virtuallab.registry import RULES
from virtuallab.subject.learning.alignment import Alignment
from virtuallab.subject.learning.locality import Need
from virtuallab.subject.rule import GradientAngle


@RULES.register("symmetric_alignment")
@dataclass(frozen=True, kw_only=True)
class SymmetricAlignment(Alignment):
    r"""Symmetric alignment: the backward weight follows the forward weight.

    .. math:: \Delta B \propto \beta\, W^\top - 2\alpha B

    With :math:`\beta = 2\alpha` it is a running average of ``W``, with a time constant of
    :math:`1 / 2\eta\alpha` steps. Not local: a synapse would have to know the strength of another;
    the authors call it weight estimation.

    References
    ----------
    Kunin et al. 2020, "Two Routes to Scalable Credit Assignment without Weight Symmetry",
    section 5.
    """

    needs = (Need.INPUT, Need.LEARNED_ERROR, Need.WEIGHT_ESTIMATE)
    gradient_angle = GradientAngle(initial=(84.0, 97.0), trained=(17.0, 27.0))

    self: NonNegativeFloat = setting(
        0.1, doc="Strength of the pull along the forward weight; published 2e-3."
    )
    decay: NonNegativeFloat = setting(
        0.05, doc="Strength of forgetting; half the paper's coefficient."
    )
