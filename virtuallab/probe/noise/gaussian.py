"""Measurement noise."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields

import numpy as np

from virtuallab.fields import NonNegativeFloat, PositiveFloat, setting
from virtuallab.probe.fault import Complaint
from virtuallab.probe.noise.calibration import Spread


@dataclass(frozen=True, kw_only=True)
class Noise:
    """Gaussian noise of an instrument, independent at every measurement; at most one setting.

    Its deviation is the same at all visits and in all subjects: a ratio is taken of the signal in
    reference networks, which have learned nothing (:mod:`virtuallab.probe.noise.calibration`). What
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
        """The signal-to-noise ratio, of a layer or of a unit; None where none is given."""
        return self.unit_snr if self.snr is None else self.snr

    @property
    def is_there(self) -> bool:
        """Whether there is any noise."""
        return self.ratio is not None or bool(self.sigma)

    def check(self) -> Iterator[Complaint]:
        """Say what is impossible about it."""
        written = {field.name: getattr(self, field.name) for field in fields(self)}
        given = {name: value for name, value in written.items() if value is not None}
        if len(given) > 1:
            found = " and ".join(f"{name}: {value}" for name, value in given.items())
            yield "noise", f"found {found}. Give one of them."
        for name, value in given.items():
            if name == "sigma" and not 0 <= value < np.inf:
                yield "noise.sigma", f"must be 0 or a positive number, found {value}."
            if name != "sigma" and not 0 < value < np.inf:
                yield (
                    f"noise.{name}",
                    f"must be a number greater than 0, found {value}. For no noise leave it out.",
                )

    def deviation(self, spread: Spread | None) -> float:
        """Return the noise's standard deviation in one layer.

        Parameters
        ----------
        spread : Spread, optional
            Of the layer's signal in the reference networks; a ratio needs it.

        Raises
        ------
        ValueError
            If a ratio is given and no spread.
        """
        if self.ratio is None:
            return self.sigma or 0.0
        if spread is None:
            raise ValueError("a signal-to-noise ratio needs a calibration; see `calibrated`")
        return (spread.unit if self.snr is None else spread.layer) / self.ratio

    @staticmethod
    def added(values: np.ndarray, deviation: float, stream: np.random.Generator) -> np.ndarray:
        """Return values of any shape with noise of a deviation, in the same precision."""
        if not deviation:
            return values
        noise = stream.standard_normal(values.shape, dtype=np.float32)
        with np.errstate(over="ignore"):  # at a ratio next to none
            noise *= np.float32(deviation)
            noisy: np.ndarray = values + noise
        return noisy.astype(values.dtype, copy=False)
