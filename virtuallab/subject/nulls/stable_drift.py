"""Representational drift that keeps the geometry of the population."""

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

# Share of the units that exchange their tuning, summed over visits as squares.
_AMOUNT: Final = (0.1, 3.0)


@NULL_MODELS.register("stable_drift")
class StableDrift(NullModel):
    """Units that exchange their tuning, while similarities between stimuli stay exactly the same.

    At each visit a share of a layer's units, drawn anew, permute their responses among one another.
    The population's geometry, which a downstream area could read, does not change. The norm of the
    shares over visits is log-uniform from 0.1 to 3; a share is at most 1.

    References
    ----------
    Qin et al. 2023, "Coordinated drift of receptive fields in Hebbian/anti-Hebbian network models
    during noisy representation learning".
    """

    def prepare(self, trajectory: Trajectory, generator: np.random.Generator) -> PreparedSubject:
        """A subject whose units exchange tuning; parameters as in the base class."""
        still = trajectory.still(trajectory.draw_visit(generator))
        shares = trajectory.draw_pace(generator) * log_uniform(generator, *_AMOUNT)

        def change(first: Responses) -> list[Responses]:
            tuning_of = np.arange(first.shape[1])
            visits = []
            for share in np.minimum(shares, 1.0):
                moved = generator.permutation(len(tuning_of))[: round(share * len(tuning_of))]
                tuning_of[moved] = tuning_of[generator.permutation(moved)]
                visits.append(first[:, tuning_of])
            return visits

        return with_responses(still, change)
