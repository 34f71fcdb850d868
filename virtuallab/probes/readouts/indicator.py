"""Base class of activity indicators."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

import jaxtyping as jt
import numpy as np

from virtuallab.fields import SectionPlugin
from virtuallab.registry import INDICATORS


@dataclass(frozen=True, kw_only=True)
class Indicator(SectionPlugin, ABC):
    """An indicator that turns the responses of a unit into fluorescence, without noise.

    The noise of the probe models photon noise, so an indicator draws no random numbers.

    Attributes
    ----------
    units, long_name : str
        Of the recording.
    """

    registry: ClassVar[Any] = INDICATORS
    default_name: ClassVar[str] = "calcium"
    units: ClassVar[str] = "dF/F"
    long_name: ClassVar[str] = "relative change of fluorescence"

    @abstractmethod
    def fluorescence(
        self, responses: jt.Float[np.ndarray, "visit stimulus unit"]
    ) -> jt.Float[np.ndarray, "visit stimulus unit"]:
        """Fluorescence of the recorded units, in ``units`` and single precision.

        Parameters
        ----------
        responses : array, (visit, stimulus, unit)
            Of the recorded units, stimuli in the order of their presentation. Each unit and each
            visit is to be treated by itself.

        Returns
        -------
        array, (visit, stimulus, unit)
        """
