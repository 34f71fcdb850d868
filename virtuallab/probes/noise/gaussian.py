"""Gaussian measurement noise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from virtuallab.fields import NonNegativeFloat, PositiveFloat, setting
from virtuallab.probes.noise.calibration import Spread


@dataclass(frozen=True, kw_only=True)
class Noise:
    """Gaussian noise of an instrument, independent at every measurement; at most one setting.

    Its deviation is the same at all visits and in all subjects: a ratio refers to the signal in
    untrained reference networks (:mod:`virtuallab.probes.noise.calibration`). A population that
    learns to respond more strongly is then recorded more cleanly, as in an experiment.

    A common absolute deviation is far harsher on weights (hundredths) than on responses (ones); a
    signal-to-noise ratio is the same burden on both.
    """

    sigma: NonNegativeFloat | None = setting(
        None, doc="Standard deviation, in the units of what is measured; the same in every layer."
    )
    snr: PositiveFloat | None = setting(
        None,
        doc="Signal-to-noise ratio of a layer: the standard deviation of its signal, over units "
        "and stimuli, in untrained networks, over that of the noise.",
    )
    unit_snr: PositiveFloat | None = setting(
        None,
        doc="Signal-to-noise ratio of a unit: the standard deviation of the median unit's signal, "
        "over stimuli, in untrained networks, over that of the noise. Of weights, and of activity "
        "change, it is that of the layer.",
    )

    @property
    def ratio(self) -> float | None:
        """Signal-to-noise ratio of a layer or of a unit; None where none is given."""
        return self.unit_snr if self.snr is None else self.snr

    @property
    def is_present(self) -> bool:
        """Whether there is any noise."""
        return self.ratio is not None or bool(self.sigma)

    def deviation(self, spread: Spread | None) -> float:
        """Standard deviation of the noise in one layer.

        Parameters
        ----------
        spread : Spread, optional
            Of the layer's signal in the reference networks; needed for a ratio.

        Raises
        ------
        ValueError
            If a ratio is given and no spread.
        """
        if self.ratio is None:
            return self.sigma or 0.0
        if spread is None:
            raise ValueError("a signal-to-noise ratio needs a calibration; see `Probe.calibrate`")
        return (spread.unit if self.snr is None else spread.layer) / self.ratio

    @staticmethod
    def add(values: np.ndarray, deviation: float, generator: np.random.Generator) -> np.ndarray:
        """Values of any shape with Gaussian noise of this deviation, in their own precision."""
        if not deviation:
            return values
        noise = generator.standard_normal(values.shape, dtype=np.float32)
        with np.errstate(over="ignore"):  # a tiny ratio gives noise beyond single precision
            noise *= np.float32(deviation)
            noisy: np.ndarray = values + noise
        return noisy.astype(values.dtype, copy=False)
