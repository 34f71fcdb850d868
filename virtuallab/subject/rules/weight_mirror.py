"""Weight mirror."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from virtuallab.fields import NonNegativeFloat, NonNegativeInt, setting
from virtuallab.registry import RULES
from virtuallab.subject.credit.alignment import ActivityAlignment


@RULES.register("weight_mirror")
@dataclass(frozen=True, kw_only=True)
class WeightMirror(ActivityAlignment):
    r"""Weight mirror: Hebbian growth of the backward weight along the forward one, and decay.

    .. math:: \Delta B \propto \alpha\, W^\top C - 2\gamma B, \qquad C = \tfrac1N X^\top X

    Local. In its original form (the default) phases of learning alternate with phases in which
    every layer is driven by noise of standard deviation :math:`\sigma`, so that
    :math:`C = \sigma^2 I` and at rest :math:`B = \alpha\sigma^2 W^\top / 2\gamma`. With
    ``activity: own`` and ``alternate: 0`` it runs on the layer's own activity at every step, whose
    mean and correlations turn ``B`` away from ``W``. Its gain is unbounded: see the stability page.
    Not to be confused with information alignment, whose null term bounds it.

    References
    ----------
    Akrout et al. 2019, "Deep Learning without Weight Transport".
    Kunin et al. 2020, "Two Routes to Scalable Credit Assignment without Weight Symmetry".
    """

    local: ClassVar[bool] = True
    needs: ClassVar[str] = "input, response; phases of noise"

    amp: NonNegativeFloat = setting(0.2, doc="Strength of growth along the forward weight.")
    decay: NonNegativeFloat = setting(
        0.1, doc="Strength of forgetting; half the paper's coefficient."
    )
    activity: Literal["own", "noise"] = setting(
        "noise", doc="What the layer sees while it aligns: independent noise, or its own input."
    )
    alternate: NonNegativeInt = setting(
        1,
        unit="training steps",
        doc="Steps of learning between two steps of mirroring; 0: both at every step.",
    )
