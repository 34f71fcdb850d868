"""Fluorescence of a calcium indicator."""

from __future__ import annotations

from dataclasses import dataclass

import jaxtyping as jt
import numpy as np

from virtuallab.fields import NonNegativeFloat, PositiveFloat, setting
from virtuallab.probes.readouts.indicator import Indicator
from virtuallab.registry import INDICATORS


@INDICATORS.register("calcium")
@dataclass(frozen=True, kw_only=True)
class Calcium(Indicator):
    r"""Slow, saturating fluorescence of a calcium indicator at the end of each stimulus.

    Stimuli are shown in the ``order`` of the indicator. A share :math:`a = e^{-\Delta/\tau}`
    of the fluorescence at the end of one stimulus is left at the end of the next:

    .. math:: f_k = a f_{k-1} + (1 - a) \max(y_k, 0), \qquad F = \frac{f}{1 + f / s}

    in dF/F, relative to the fluorescence without any response. A lasting response :math:`y` far
    below :math:`s` gives a dF/F of :math:`y`. The recording starts after a long time without
    stimuli.

    :math:`f` is the response :math:`y` filtered with a time constant :math:`\tau`, the decay. With
    a rise of time constant :math:`\rho`, :math:`y` is filtered with both. A spike then gives a
    fluorescence in proportion to :math:`e^{-t/\tau} - e^{-t/\rho}`, and

    .. math:: f = \frac{\tau f^{(\tau)} - \rho f^{(\rho)}}{\tau - \rho}

    of the two filters by themselves. The peak is
    :math:`\ln(\tau / \rho)\, \tau \rho / (\tau - \rho)` after the spike. In neurons of the visual
    cortex the rise takes about 50 to 75 ms with GCaMP6f, 75 to 100 ms with GCaMP6m and 100 to 150
    ms with GCaMP6s (Chen et al. 2013). It is of the same order with jGCaMP7 (Dana et al. 2019), and
    half of it takes 2 ms with jGCaMP8 (Zhang et al. 2023).

    Raises
    ------
    ValueError
        If the rise is not shorter than the decay.

    References
    ----------
    Vogelstein et al. 2010, "Fast Nonnegative Deconvolution for Spike Train Inference From
    Population Calcium Imaging".
    Chen et al. 2013, "Ultrasensitive fluorescent proteins for imaging neuronal activity".
    Dana et al. 2019, "High-performance calcium sensors for imaging activity in neuronal populations
    and microcompartments".
    Zhang et al. 2023, "Fast and sensitive GCaMP calcium indicators for imaging neural populations".
    """

    decay: PositiveFloat = setting(0.5, unit="s", doc="Time constant of the indicator, in s.")
    interval: PositiveFloat = setting(1.0, unit="s", doc="From one stimulus to the next, in s.")
    saturation: PositiveFloat | None = setting(
        None, doc="Response at which fluorescence is half of its highest; no saturation if not set."
    )

    rise: NonNegativeFloat = setting(
        0.0,
        unit="s",
        doc="Time constant of the rise, in s, shorter than the decay; 0 is a rise at once.",
        added=True,
    )

    def __post_init__(self) -> None:
        if self.rise >= self.decay:
            raise ValueError(
                f"rise: {self.rise:g} s is not shorter than the decay, {self.decay:g} s. Lower it."
            )

    def fluorescence(
        self, responses: jt.Float[np.ndarray, "visit stimulus unit"]
    ) -> jt.Float[np.ndarray, "visit stimulus unit"]:
        """Fluorescence in dF/F; parameters as in the base class."""
        rectified = np.maximum(responses, 0).astype(np.float64)
        trace = self._filtered(rectified, self.decay)
        if self.rise:
            risen = self._filtered(rectified, self.rise)
            trace = (self.decay * trace - self.rise * risen) / (self.decay - self.rise)
        if self.saturation is not None:
            trace = trace / (1 + trace / self.saturation)
        return trace.astype(np.float32)

    def _filtered(self, values: np.ndarray, constant: float) -> np.ndarray:
        """Values at the end of each stimulus after a filter with a time constant in s."""
        from scipy.signal import lfilter

        left = np.exp(-self.interval / constant)
        found: np.ndarray = lfilter([1 - left], [1, -left], values, axis=1)
        return found
