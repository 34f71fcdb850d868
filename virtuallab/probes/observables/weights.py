"""Weights: the strengths of the recorded synapses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import jaxtyping as jt
import numpy as np
import xarray as xr

from virtuallab.probes.noise.calibration import Variability
from virtuallab.probes.observables.measurement import Measurement, Signal, coordinate
from virtuallab.vocabulary import SYNAPSE, VISIT, WEIGHTS


@dataclass(frozen=True)
class WeightMeasurement(Measurement):
    """Synaptic weights with noise."""

    observable: ClassVar = WEIGHTS
    dims: ClassVar = (VISIT, SYNAPSE)

    def signal(self, layer: str, generator: np.random.Generator) -> Signal:
        """Weights of the recorded synapses of one layer: (visit, synapse)."""
        weights = self.preparation.weights[layer]
        return (weights[self.selection.visits][:, self.selection.synapses[layer]],)

    def noisy(
        self, layer: str, signal: Signal, generator: np.random.Generator
    ) -> jt.Float[np.ndarray, "visit synapse"]:
        """Weights with noise."""
        [weights] = signal
        return self.with_noise(layer, weights, generator)

    def variability(self, layer: str) -> Variability:
        """Variability of all weights of one layer."""
        return Variability.of_layer(self.preparation.weights[layer])

    def coordinates(self) -> dict[str, xr.Variable]:
        """Index and layer of each synapse."""
        chosen = self.selection.synapses
        index = np.concatenate([chosen[layer] for layer in self.selection.layers])
        owners = self.owners({layer: len(indices) for layer, indices in chosen.items()})
        return {
            "synapse_index": coordinate("synapse_index", SYNAPSE, index),
            "synapse_layer": coordinate("synapse_layer", SYNAPSE, owners),
        }
