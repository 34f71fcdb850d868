"""Calibration of a probe: the signal in untrained reference networks.

Noise is a property of the instrument. If its deviation were taken from the recorded signal, it
would reveal how the recorded population grows at any signal-to-noise ratio. A probe is therefore
calibrated once, on reference networks that are built like the subjects, are shown the same stimuli
and were never trained (:meth:`virtuallab.probes.Probe.calibrate`), and its noise is the same at all
visits of all subjects.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import jaxtyping as jt
import numpy as np

from virtuallab.vocabulary import Observable


@dataclass(frozen=True)
class Spread:
    """Standard deviations of a signal in one layer of the reference networks, as it is read out.

    Parameters
    ----------
    layer : float
        Over all that is measured in the layer: stimuli and units, or synapses. The root of the mean
        variance of the networks.
    unit : float
        Of the median unit over stimuli, without units that do not respond. Without stimuli or
        units it equals ``layer``.
    """

    layer: float
    unit: float


@dataclass(frozen=True)
class Variability:
    """Variances of a signal in one layer of some reference networks, from which its spread follows.

    Parameters
    ----------
    layer : array, (network,)
        Variance over all that is measured in the layer; empty where nothing is.
    units : array, (responsive unit,)
        Standard deviation of each unit of all networks that responds; empty without single units.
    """

    layer: jt.Float[np.ndarray, " network"]
    units: jt.Float[np.ndarray, " unit"]

    @classmethod
    def of_layer(cls, signal: jt.Float[np.ndarray, "network ..."]) -> Variability:
        """Variability of a signal that has no single units."""
        nothing = np.empty(0)
        if not signal.size:
            return cls(nothing, nothing)
        return cls(signal.reshape(len(signal), -1).var(1, dtype=np.float64), nothing)

    @classmethod
    def of_units(cls, signal: jt.Float[np.ndarray, "network stimulus unit"]) -> Variability:
        """Variability of the responses of single units."""
        each = signal.std(1, dtype=np.float64)
        return cls(cls.of_layer(signal).layer, each[each > 0])

    @classmethod
    def joined(cls, parts: Sequence[Variability]) -> Variability:
        """Variability in all networks, from that in some of them each."""
        layer, units = ([getattr(each, name) for each in parts] for name in ("layer", "units"))
        return cls(np.concatenate(layer), np.concatenate(units))

    def spread(self) -> Spread:
        """Spread in these networks; 0 where nothing is measured."""
        deviation = float(np.sqrt(self.layer.mean())) if len(self.layer) else 0.0
        return Spread(deviation, float(np.median(self.units)) if len(self.units) else deviation)


@dataclass(frozen=True)
class ProbeCalibration:
    """Signal in the reference networks, to which noise and firing rates are relative.

    Parameters
    ----------
    spreads : mapping from observable to mapping from layer to Spread
        In the units of the recording.
    responses : mapping from layer to float
        Typical response: root mean square of the responses above zero, which
        :class:`~virtuallab.probes.Spikes` turns into its ``rate``. Empty without responses.
    """

    spreads: Mapping[Observable, Mapping[str, Spread]]
    responses: Mapping[str, float]


def mean_square(responses: jt.Float[np.ndarray, "network stimulus unit"]) -> float:
    """Mean square of the responses above zero."""
    above = np.maximum(responses, 0)
    return float(np.mean(above**2, dtype=np.float64))
