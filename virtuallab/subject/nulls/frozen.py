"""A network in which nothing changes."""

from __future__ import annotations

import numpy as np

from virtuallab.registry import NULL_MODELS
from virtuallab.subject.null import NullModel, Trajectory
from virtuallab.subject.preparation import PreparedSubject


@NULL_MODELS.register("frozen")
class Frozen(NullModel):
    """A frozen network: all visits have one state, untrained, partly trained or trained.

    What changes from visit to visit in its recordings is the noise of the instrument, and the
    units where the probe loses some.
    """

    def prepare(self, trajectory: Trajectory, generator: np.random.Generator) -> PreparedSubject:
        """The subject with the state of one visit; parameters as in the base class."""
        return trajectory.still(trajectory.draw_visit(generator))
