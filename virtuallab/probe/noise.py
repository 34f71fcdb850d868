"""Measurement noise."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import jaxtyping as jt
import numpy as np

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
        doc="Signal-to-noise ratio: standard deviation of a layer's signal at a visit over that of "
        "the noise.",
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

    def deviation(
        self, signal: jt.Float[np.ndarray, "visit ..."]
    ) -> jt.Float[np.ndarray, " visit"]:
        """Return the noise's standard deviation at each visit, for one layer's signal.

        A ratio is that of the same visit: a deviation shared by all visits would tell at the first
        one how far the signal is going to grow. A visit without signal (all values the same) gets
        no noise from a ratio.
        """
        if self.snr is None or not signal.size:
            return np.full(len(signal), self.sigma or 0.0)
        with np.errstate(invalid="ignore", over="ignore"):
            spread = signal.reshape(len(signal), -1).std(1, dtype=np.float64)
        deviation: np.ndarray = spread / self.snr
        return deviation

    def added(
        self,
        values: jt.Float[np.ndarray, "visit ..."],
        signal: jt.Float[np.ndarray, "visit ..."],
        stream: np.random.Generator,
    ) -> jt.Float[np.ndarray, "visit ..."]:
        """Return the values with noise whose size is set by ``signal``, in the same precision.

        Parameters
        ----------
        values : array, (visit, ...)
            What is measured.
        signal : array, (visit, ...)
            All of the layer at the same visits, measured or not.
        stream : numpy.random.Generator
        """
        if self.snr is None and not self.sigma:
            return values
        noise = stream.standard_normal(values.shape, dtype=np.float32)
        deviation = self.deviation(signal).astype(np.float32)
        noise *= deviation.reshape(-1, *[1] * (values.ndim - 1))
        noisy: np.ndarray = values + noise
        return noisy.astype(values.dtype, copy=False)
