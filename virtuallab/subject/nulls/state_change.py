"""Changes of the state of the animal from visit to visit."""

from __future__ import annotations

from typing import Final

import numpy as np

from virtuallab.registry import NULL_MODELS
from virtuallab.subject.null import (
    NullModel,
    Responses,
    Trajectory,
    log_uniform,
    with_responses,
)
from virtuallab.subject.preparation import PreparedSubject

_AMOUNT: Final = (0.05, 1.0)  # standard deviation of the state over visits
_SPREAD: Final = 0.5  # of units' loadings, around 1 for the gain and around 0 for the offset


@NULL_MODELS.register("state_change")
class StateChange(NullModel):
    r"""A state, such as arousal, that is drawn anew at each visit and modulates all units.

    .. math:: r_v = \max(0,\ e^{s_v l} r + t_v m)

    with a common gain :math:`s_v` and a common offset :math:`t_v` of the visit, and loadings
    :math:`l` (mean 1) and :math:`m` (mean 0) of each unit. Nothing accumulates over visits. The
    standard deviation of both states is log-uniform from 0.05 to 1.

    References
    ----------
    Lin et al. 2015, "The nature of shared cortical variability": multiplicative and additive.
    McGinley et al. 2015, "Waking state: rapid variations modulate neural and behavioral responses".
    """

    starts_at_state = False

    def prepare(self, trajectory: Trajectory, generator: np.random.Generator) -> PreparedSubject:
        """A subject whose state changes; parameters as in the base class."""
        still = trajectory.still(trajectory.draw_visit(generator))
        amount = log_uniform(generator, *_AMOUNT)
        gain, offset = amount * generator.standard_normal((2, len(trajectory.states), 1, 1))

        def change(first: Responses) -> list[Responses]:
            gains, offsets = _SPREAD * generator.standard_normal((2, first.shape[1]))
            return list(np.exp(gain * (1 + gains)) * first + offset * offsets * first.std())

        return with_responses(still, change)
