"""A random walk of the weights."""

from __future__ import annotations

from typing import Final

import numpy as np

from virtuallab.registry import NULL_MODELS
from virtuallab.subject.null import NullModel, Trajectory, log_uniform
from virtuallab.subject.preparation import PreparedSubject

_SCALE: Final = (0.5, 2.0)  # of the subject's own step lengths


@NULL_MODELS.register("weight_walk")
class WeightWalk(NullModel):
    """Weights that walk at random, with the step lengths of a subject that learned.

    From visit to visit each tensor of weights moves as far as it did in the subject, times a factor
    log-uniform from 0.5 to 2, in a direction drawn anew. The walk starts at the first or at the
    last state of the subject. Running averages of batch normalisation follow the network after the
    first visit, as they do in a subject that learns.
    """

    def prepare(self, trajectory: Trajectory, generator: np.random.Generator) -> PreparedSubject:
        """A subject whose weights walk; parameters as in the base class."""
        own = trajectory.states.astype(np.float64)
        states = np.repeat(own[[0, -1]][[int(generator.integers(2))]], len(own), axis=0)
        scale = log_uniform(generator, *_SCALE)
        for place in trajectory.weights:
            lengths = scale * np.linalg.norm(np.diff(own[:, place], axis=0), axis=1, keepdims=True)
            steps = generator.standard_normal((len(own) - 1, place.stop - place.start))
            steps *= lengths / np.linalg.norm(steps, axis=1, keepdims=True)
            states[1:, place] += np.cumsum(steps, axis=0)
        if len(states) > 1:
            states[1:] = trajectory.normalised(states[1:])
        return trajectory.prepared(states)
