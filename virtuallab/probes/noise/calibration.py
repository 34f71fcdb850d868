"""Calibration of a probe: the signal in untrained reference networks.

Noise is a property of the instrument. If its deviation were taken from the recorded signal, it
would reveal how the recorded population grows at any signal-to-noise ratio. A probe is therefore
calibrated once, on reference networks that are built like the subjects, are shown the same stimuli
and were never trained (:meth:`virtuallab.probes.Probe.calibrate`), and its noise is the same at all
visits of all subjects.
"""

from __future__ import annotations

from collections.abc import Mapping
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

    @classmethod
    def of_layer(cls, signal: jt.Float[np.ndarray, "network ..."]) -> Spread:
        """Spread of a signal that has no single units; 0 where it is empty."""
        if not signal.size:
            return cls(0.0, 0.0)
        variance = signal.reshape(len(signal), -1).var(1, dtype=np.float64)
        deviation = float(np.sqrt(variance.mean()))
        return cls(deviation, deviation)

    @classmethod
    def of_units(cls, signal: jt.Float[np.ndarray, "network stimulus unit"]) -> Spread:
        """Spread of the responses of single units; 0 where there are none."""
        spread = cls.of_layer(signal)
        each = signal.std(1, dtype=np.float64)
        responsive = each[each > 0]
        return cls(spread.layer, float(np.median(responsive))) if responsive.size else spread


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


def typical_response(responses: jt.Float[np.ndarray, "network stimulus unit"]) -> float:
    """Root mean square of the responses above zero."""
    above = np.maximum(responses, 0)
    return float(np.sqrt(np.mean(above**2, dtype=np.float64)))
