"""Changes of gain and excitability."""

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

_AMOUNT: Final = (0.1, 2.0)  # standard deviation of the log gain after the last visit
_OFFSET: Final = 0.5  # of excitability, in standard deviations of the layer's responses


@NULL_MODELS.register("gain_change")
class GainChange(NullModel):
    r"""Gains of units that walk at random, and in half of the subjects their excitability as well.

    .. math:: r_v = \max(0,\ e^{g_v} r + h_v)

    for each unit, with random walks :math:`g_v` and :math:`h_v`. The standard deviation of
    :math:`g` after the last visit is log-uniform from 0.1 to 2; that of :math:`h` is half of it, in
    standard deviations of the layer's responses. Responses are rectified only in layers that are.

    References
    ----------
    Turrigiano 2008, "The self-tuning neuron: synaptic scaling of excitatory synapses".
    Thompson, Moyer and Disterhoft 1996, "Transient changes in excitability of rabbit CA3 neurons
    with a time course appropriate to support memory consolidation".
    """

    def prepare(self, trajectory: Trajectory, generator: np.random.Generator) -> PreparedSubject:
        """A subject whose gains walk; parameters as in the base class."""
        still = trajectory.still(trajectory.draw_visit(generator))
        steps = trajectory.draw_pace(generator) * log_uniform(generator, *_AMOUNT)
        offset = _OFFSET * int(generator.integers(2))

        def change(first: Responses) -> list[Responses]:
            draws = generator.standard_normal((2, len(steps), first.shape[1]))
            gain, excitability = np.cumsum(draws * steps[:, None], axis=1)
            return list(
                np.exp(gain)[:, None] * first + offset * first.std() * excitability[:, None]
            )

        return with_responses(still, change)
