"""Fluorescence of a calcium indicator."""

from __future__ import annotations

from dataclasses import dataclass

import jaxtyping as jt
import numpy as np

from virtuallab.fields import PositiveFloat, setting
from virtuallab.probes.readouts.indicator import Indicator
from virtuallab.registry import INDICATORS


@INDICATORS.register("calcium")
@dataclass(frozen=True, kw_only=True)
class Calcium(Indicator):
    r"""Slow, saturating fluorescence of a calcium indicator at the end of each stimulus.

    Stimuli are shown in the order in which they are stored. A share :math:`a = e^{-\Delta/\tau}`
    of the fluorescence at the end of one stimulus is left at the end of the next:

    .. math:: f_k = a f_{k-1} + (1 - a) \max(y_k, 0), \qquad F = \frac{f}{1 + f / s}

    in dF/F, relative to the fluorescence without any response. A lasting response :math:`y` far
    below :math:`s` gives a dF/F of :math:`y`. The recording starts after a long time without
    stimuli. The probe's `noise` models photon noise.

    References
    ----------
    Vogelstein et al. 2010, "Fast Nonnegative Deconvolution for Spike Train Inference From
    Population Calcium Imaging".
    Chen et al. 2013, "Ultrasensitive fluorescent proteins for imaging neuronal activity".
    """

    decay: PositiveFloat = setting(0.5, unit="s", doc="Time constant of the indicator, in s.")
    interval: PositiveFloat = setting(1.0, unit="s", doc="From one stimulus to the next, in s.")
    saturation: PositiveFloat | None = setting(
        None, doc="Response at which fluorescence is half of its highest; no saturation if not set."
    )

    def fluorescence(
        self, responses: jt.Float[np.ndarray, "visit stimulus unit"]
    ) -> jt.Float[np.ndarray, "visit stimulus unit"]:
        """Fluorescence in dF/F; parameters as in the base class."""
        from scipy.signal import lfilter

        left = np.exp(-self.interval / self.decay)
        rectified = np.maximum(responses, 0).astype(np.float64)
        trace: np.ndarray = lfilter([1 - left], [1, -left], rectified, axis=1)
        if self.saturation is not None:
            trace = trace / (1 + trace / self.saturation)
        return trace.astype(np.float32)
