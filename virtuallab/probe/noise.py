"""Measurement noise."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from virtuallab.fields import NonNegativeFloat, PositiveFloat, setting
from virtuallab.probe.fault import Complaint


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
        doc="Signal-to-noise ratio: standard deviation of a layer's signal, all visits together, "
        "over that of the noise.",
    )

    def check(self) -> Iterator[Complaint]:
        """Say what is impossible about it."""
        if self.sigma is not None and self.snr is not None:
            yield "noise", f"found both sigma: {self.sigma} and snr: {self.snr}. Give one of them."
        if self.sigma is not None and not 0 <= self.sigma < np.inf:
            yield "noise.sigma", f"must be 0 or a positive number, found {self.sigma}."
        if self.snr is not None and not 0 < self.snr < np.inf:
            yield (
                "noise.snr",
                f"must be a number greater than 0, found {self.snr}. For no noise leave it out.",
            )

    def deviation(self, signal: Float[np.ndarray, "*sample"]) -> float:
        """Return the noise's standard deviation for one layer's signal, all visits together.

        One number for all visits, as an electrode's own noise does not grow with what it records.
        A layer without signal (all values the same) gets no noise from a ratio; visits at which it
        had exploded do not count.
        """
        if self.snr is None:
            return self.sigma or 0.0
        with np.errstate(invalid="ignore", over="ignore"):
            spread = float(signal.std(dtype=np.float64))
        if not np.isfinite(spread):
            finite = signal[np.isfinite(signal)]
            spread = float(finite.std(dtype=np.float64)) if finite.size else 0.0
        return spread / self.snr

    def added(
        self,
        values: Float[np.ndarray, "*sample"],
        signal: Float[np.ndarray, "..."],
        stream: np.random.Generator,
    ) -> Float[np.ndarray, "*sample"]:
        """Return the values with noise whose size is set by ``signal``, in the same precision."""
        deviation = self.deviation(signal)
        if deviation == 0:
            return values
        noise = stream.standard_normal(values.shape, dtype=np.float32)
        noise *= np.float32(deviation)
        noisy: np.ndarray = values + noise
        return noisy.astype(values.dtype, copy=False)
