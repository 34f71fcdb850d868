"""Measurement noise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from virtuallab.fields import NonNegativeFloat, PositiveFloat, setting


@dataclass(frozen=True, kw_only=True)
class Noise:
    """Gaussian noise, independent at every measurement; at most one of the two settings.

    A common absolute deviation is far harsher on weights (hundredths) than on responses (ones);
    a signal-to-noise ratio is the same burden on both.
    """

    sigma: NonNegativeFloat | None = setting(
        None, doc="Standard deviation, in the units of what is measured; the same in every layer."
    )
    snr: PositiveFloat | None = setting(
        None,
        doc="Signal-to-noise ratio at visit 0: standard deviation of a layer's signal, before "
        "learning, over that of the noise, which then stays the same.",
    )

    def deviation(self, signal: np.ndarray) -> float:
        """Return the noise's standard deviation, from one layer's signal before learning.

        An electrode's noise does not know how its subject will learn: were a ratio taken from the
        signal of all visits, the size of the noise at the first would tell how activity grows, and
        with it the rule. So a ratio holds at visit 0, and the noise stays as it is.

        A layer without signal (all values the same) gets no noise from a ratio.
        """
        if self.snr is not None:
            finite = signal[np.isfinite(signal)]
            return float(finite.std(dtype=np.float64)) / self.snr if finite.size else 0.0
        return self.sigma or 0.0

    def added(
        self, values: np.ndarray, signal: np.ndarray, stream: np.random.Generator
    ) -> np.ndarray:
        """Return the values with noise whose size is set by ``signal`` before learning, in the same precision."""
        deviation = self.deviation(signal)
        if deviation == 0:
            return values
        noise = stream.standard_normal(values.shape, dtype=np.float32)
        return (values + np.float32(deviation) * noise).astype(values.dtype, copy=False)
