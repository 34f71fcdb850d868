"""Base class of the statistics that a probe computes only where it names them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import jaxtyping as jt
import numpy as np

from virtuallab.vocabulary import Observable


@dataclass(frozen=True, kw_only=True)
class Statistic(ABC):
    """A number of one layer at each visit, which a decoder reads as a further column.

    It has to be scale-free, as all that a strict decoder reads: multiplying all measured values by
    a positive number does not change it. It must not depend on the order of units or synapses, nor
    on later visits.

    Attributes
    ----------
    observable : "activity", "weights" or "activity_change"
        What it is computed from.
    follows_units : bool
        Whether it compares the same unit at two visits. A probe with turnover then refuses it.
    """

    name: ClassVar[str]
    observable: ClassVar[Observable] = "activity"
    follows_units: ClassVar[bool] = False

    @abstractmethod
    def compute(
        self, values: jt.Float[np.ndarray, "visit ..."], labels: jt.Int[np.ndarray, " _"] | None
    ) -> jt.Float[np.ndarray, " visit"]:
        """Value of one layer at each recorded visit.

        Parameters
        ----------
        values : array of float64, (visit, ...)
            The layer's recording: (visit, stimulus, unit) of activity, (visit, synapse) of
            weights, (visit, stimulus) of the activity change. ``values[0]`` is the first recorded
            visit.
        labels : array of int, (stimulus,), optional
            Class of each stimulus; None of weights and where classes are unknown.

        Returns
        -------
        array, (visit,)
            NaN where it is not defined.
        """
