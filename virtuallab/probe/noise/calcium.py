"""Fluorescence of a calcium indicator in the place of responses."""

from __future__ import annotations

from dataclasses import dataclass

import jaxtyping as jt
import numpy as np

from virtuallab.fields import PositiveFloat, setting


@dataclass(frozen=True, kw_only=True)
class Calcium:
    r"""Slow and saturating: what an indicator shows of firing at the end of each stimulus.

    Stimuli follow one another in the order in which they are stored. Of the fluorescence at the end
    of one a share :math:`a = e^{-\Delta/\tau}` is left at the end of the next:

    .. math:: f_k = a f_{k-1} + (1 - a) \max(y_k, 0), \qquad F = \frac{f}{1 + f / s}

    in dF/F, over the fluorescence without any response. A lasting response of 1 gives a dF/F of 1,
    and others are in proportion, as long as they are far below :math:`s`. The recording starts
    after a long time without stimuli. Noise of the photons is the probe's `noise`.

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

    def glow(
        self, seen: jt.Float[np.ndarray, "visit stimulus unit"]
    ) -> jt.Float[np.ndarray, "visit stimulus unit"]:
        """Return fluorescence in dF/F, single precision.

        Parameters
        ----------
        seen : array, (visit, stimulus, unit)
            Responses of the recorded units, stimuli in the order of their presentation.
        """
        from scipy.signal import lfilter

        left = np.exp(-self.interval / self.decay)
        fired = np.maximum(seen, 0).astype(np.float64)
        trace: np.ndarray = lfilter([1 - left], [1, -left], fired, axis=1)
        if self.saturation is not None:
            trace = trace / (1 + trace / self.saturation)
        return trace.astype(np.float32)
