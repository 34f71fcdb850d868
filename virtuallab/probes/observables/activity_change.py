"""Layer-wise activity change: how the recorded units respond to a change of their inputs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import jaxtyping as jt
import numpy as np
import xarray as xr

from virtuallab.probes.noise.calibration import Variability
from virtuallab.probes.observables.measurement import Measurement, Signal
from virtuallab.vocabulary import ACTIVITY_CHANGE, LAYER, STIMULUS, VISIT


@dataclass(frozen=True)
class ActivityChangeMeasurement(Measurement):
    r"""Layer-wise activity change of the recorded units to the recorded inputs.

    .. math:: g = \frac{1}{|S_{out}|} \sum_{i \in S_{in}}
              \Big(\varepsilon_i + \sum_{j \in S_{out}} \frac{\partial y_j}{\partial x_i}\Big)

    The noise :math:`\varepsilon_i` is on each input's sum. With all units it is the published
    measure.

    References
    ----------
    Nayebi et al. 2020, "Identifying Learning Rules From Neural Network Observables".
    """

    observable: ClassVar = ACTIVITY_CHANGE
    dims: ClassVar = (VISIT, STIMULUS, LAYER)

    def signal(self, layer: str, generator: np.random.Generator) -> Signal:
        """Sums of the derivatives by each recorded input: (visit, stimulus, input)."""
        visits, stimuli = self.selection.visits, self.selection.stimuli
        units, inputs = self._units(layer), self.selection.inputs[layer]
        if not len(units):
            return (np.empty((len(visits), len(stimuli), 0), dtype=np.float32),)
        return (self.preparation.jacobian(layer, units)[visits][:, stimuli[:, None], inputs],)

    def noisy(
        self, layer: str, signal: Signal, generator: np.random.Generator
    ) -> jt.Float[np.ndarray, "visit stimulus 1"]:
        """Activity change of one layer; NaN without recorded units."""
        [sums] = signal
        units = self._units(layer)
        if not len(units):
            return np.full((*sums.shape[:2], 1), np.nan, dtype=np.float32)
        noisy = self.with_noise(layer, sums, generator)
        change: np.ndarray = noisy.sum(-1, keepdims=True, dtype=np.float64) / len(units)
        return change

    def variability(self, layer: str) -> Variability:
        """Variability of the sums over as many units as are recorded, over inputs and stimuli."""
        units = self._units(layer)
        if not len(units):
            return Variability.of_layer(np.empty((1, 0)))
        return Variability.of_layer(self.preparation.jacobian(layer, units))

    def _units(self, layer: str) -> jt.Int[np.ndarray, " unit"]:
        """Recorded units, each once, even if several recorded neurons respond as one of them."""
        return np.unique(self.selection.units[layer].index)

    def coordinates(self) -> dict[str, xr.Variable]:
        """No coordinates besides the layers."""
        return {}
