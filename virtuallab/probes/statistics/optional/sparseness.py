"""Population sparseness."""

from __future__ import annotations

from dataclasses import dataclass

import jaxtyping as jt
import numpy as np

from virtuallab.probes.statistics.published import mean_over_images
from virtuallab.probes.statistics.statistic import Statistic
from virtuallab.registry import STATISTICS


@STATISTICS.register("sparseness")
@dataclass(frozen=True, kw_only=True)
class Sparseness(Statistic):
    r"""Population sparseness: 0 where all units respond alike, near 1 where few respond.

    .. math:: S = 1 - \Big\langle \frac{\langle |y| \rangle^2}{\langle y^2 \rangle} \Big\rangle

    with the inner means over the :math:`n` units and the outer one over stimuli to which any unit
    responds, divided by :math:`1 - 1/n`.

    References
    ----------
    Rolls and Tovee 1995, "Sparseness of the neuronal representation of stimuli in the primate
    temporal visual cortex".
    Vinje and Gallant 2000, "Sparse coding and decorrelation in primary visual cortex during natural
    vision": the scale from 0 to 1.
    """

    def compute(
        self,
        values: jt.Float[np.ndarray, "visit stimulus unit"],
        labels: jt.Int[np.ndarray, " stimulus"] | None,
    ) -> jt.Float[np.ndarray, " visit"]:
        """Sparseness at each visit; parameters as in the base class."""
        power = (values**2).mean(-1)
        spread = np.abs(values).mean(-1) ** 2 / np.where(power > 0, power, np.nan)
        found: np.ndarray = (1 - mean_over_images(spread)) / (1 - 1 / values.shape[-1])
        return found
