"""Learning rate that falls like half a period of a cosine."""

from __future__ import annotations

import math
from dataclasses import dataclass

from virtuallab.fields import Fraction, ProperFraction, setting
from virtuallab.registry import SCHEDULES
from virtuallab.subject.schedule import LearningRateSchedule


@SCHEDULES.register("cosine")
@dataclass(frozen=True, kw_only=True)
class Cosine(LearningRateSchedule):
    r"""Linear rise, then a fall of the learning rate along half a period of a cosine.

    .. math:: f(p) = \begin{cases} p / w & p < w \\
              f_1 + (1 - f_1)\, \tfrac12 \left(1 + \cos \pi \frac{p - w}{1 - w}\right) & p \ge w
              \end{cases}

    where p is the share of training that is over.

    References
    ----------
    Loshchilov and Hutter 2017, "SGDR: Stochastic Gradient Descent with Warm Restarts", here without
    restarts.
    """

    warmup: ProperFraction = setting(
        0.0, doc="Share of training, at its start, during which the rate rises from 0; 0 for none."
    )
    final: Fraction = setting(0.0, doc="Factor at the end of training.")

    def factor(self, progress: float) -> float:
        """Return the factor at this point of the rise or the fall."""
        if progress < self.warmup:
            return progress / self.warmup
        fallen = (progress - self.warmup) / (1 - self.warmup)
        return self.final + (1 - self.final) * (1 + math.cos(math.pi * fallen)) / 2
