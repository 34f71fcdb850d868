"""Weight mirror."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from virtuallab.fields import NonNegativeFloat, NonNegativeInt, setting
from virtuallab.registry import RULES
from virtuallab.subject.learning.alignment import ActivityAlignment
from virtuallab.subject.learning.locality import Need
from virtuallab.subject.rule import GradientAngle


@RULES.register("weight_mirror")
@dataclass(frozen=True, kw_only=True)
class WeightMirror(ActivityAlignment):
    r"""Weight mirror: Hebbian growth of the backward weight along the forward one, and decay.

    .. math:: \Delta B \propto \alpha\, W^\top C - 2\gamma B, \qquad C = \tfrac1N X^\top X

    Local except for phases that the whole network enters together. In its original form (the
    default) phases of learning alternate with phases in which noise drives every layer, of standard
    deviation :math:`\sigma`, so that :math:`C = \sigma^2 I` and in a dense layer at rest
    :math:`B = \alpha\sigma^2 W^\top / 2\gamma`. With ``activity: own`` and ``alternate: 0`` it runs
    on the layer's own activity at every step, whose mean and correlations turn ``B`` away from
    ``W``. Its gain is unbounded: see the stability page. Not to be confused with information
    alignment, whose null term bounds it.

    Phases of noise take steps from training: of n steps, half change the forward weights
    (``equal: steps``, the default), so it learns for half as long as other rules. With ``equal:
    updates`` it mirrors noise beside every step of learning, and makes n updates as other rules.

    A convolution with zero padding does not mirror ``W`` itself. A synapse at the edge of the
    kernel is used at fewer positions than one at its centre, so ``B`` approaches a ``W`` that is
    tapered toward the kernel's edge: for kernels of 3 x 3 its angle to ``W`` is 5 degrees on maps
    of 8 x 8, 11 degrees on 4 x 4 and 27 degrees on 2 x 2. ``python studies/theory.py 12`` measures
    it in a few seconds.

    References
    ----------
    Akrout et al. 2019, "Deep Learning without Weight Transport".
    Kunin et al. 2020, "Two Routes to Scalable Credit Assignment without Weight Symmetry".
    """

    needs = (Need.INPUT, Need.RESPONSE, Need.LEARNED_ERROR, Need.NOISE_PHASE)
    gradient_angle = GradientAngle(initial=(79.0, 101.0), trained=(19.0, 27.0))

    amp: NonNegativeFloat = setting(0.2, doc="Strength of growth along the forward weight.")
    decay: NonNegativeFloat = setting(
        0.1, doc="Strength of forgetting; half the paper's coefficient."
    )
    activity: Literal["own", "noise"] = setting(
        "noise", doc="Input of the layer while it aligns: independent noise, or its own input."
    )
    alternate: NonNegativeInt = setting(
        1,
        unit="training steps",
        doc="Steps of learning between two steps of mirroring; 0: both at every step.",
    )
