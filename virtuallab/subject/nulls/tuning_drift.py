"""Representational drift that does not keep the geometry of the population."""

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

# Norm of all changes together, in standard deviations of the tuning.
_AMOUNT: Final = (0.1, 3.0)


@NULL_MODELS.register("tuning_drift")
class TuningDrift(NullModel):
    r"""Tuning that walks at random, each unit for itself, so that similarities change as well.

    .. math:: r_v = \max(0,\ \bar r + d_v), \qquad d_v = \sqrt{1 - a_v^2}\, d_{v-1} + a_v \tilde d_v

    where :math:`\tilde d_v` is the unit's own tuning with the stimuli permuted anew, so that its
    mean and its variance stay before rectification. Responses are rectified only in layers that
    are, which raises the mean a little. The norm of all :math:`a_v` is log-uniform from 0.1 to 3:
    from a tuning that hardly moves to one that is lost several times over a recording.

    References
    ----------
    Rule, O'Leary and Harvey 2019, "Causes and consequences of representational drift".
    Schoonover et al. 2021, "Representational drift in primary olfactory cortex".
    """

    def prepare(self, trajectory: Trajectory, generator: np.random.Generator) -> PreparedSubject:
        """A subject whose tuning walks; parameters as in the base class."""
        still = trajectory.still(trajectory.draw_visit(generator))
        steps = trajectory.draw_pace(generator) * log_uniform(generator, *_AMOUNT)

        def change(first: Responses) -> list[Responses]:
            mean = first.mean(0)
            tuning = first - mean
            stimuli = np.tile(np.arange(len(first))[:, None], (1, first.shape[1]))
            now, visits = tuning, []
            for step in np.minimum(steps, 1.0):
                if step:
                    fresh = np.take_along_axis(tuning, generator.permuted(stimuli, axis=0), 0)
                    now = np.sqrt(1 - step**2) * now + step * fresh
                visits.append(mean + now)
            return visits

        return with_responses(still, change)
