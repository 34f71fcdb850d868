"""Activity: responses of the recorded units as activations, firing rates or fluorescence."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import jaxtyping as jt
import numpy as np
import xarray as xr

from virtuallab.probes.noise.calibration import Variability
from virtuallab.probes.observables.measurement import Measurement, Signal, coordinate
from virtuallab.probes.observables.unit_readout import PooledUnits, TurnoverUnits
from virtuallab.probes.preparation import feature_map_shapes
from virtuallab.probes.readouts.indicator import Indicator
from virtuallab.probes.tissue_geometry import unit_positions
from virtuallab.seeds import child, substream
from virtuallab.vocabulary import ACTIVITY, MEMBER, STIMULUS, UNIT, VISIT


@dataclass(frozen=True)
class ActivityMeasurement(Measurement):
    """Responses of single or pooled units: activations, spike counts or calcium fluorescence."""

    observable: ClassVar = ACTIVITY
    dims: ClassVar = (VISIT, STIMULUS, UNIT)

    def signal(self, layer: str, generator: np.random.Generator) -> Signal:
        """Responses of the recorded units, and of those whose spikes contaminate theirs."""
        spikes, stimuli = self.probe.spikes, self.selection.stimuli
        units = self.selection.units[layer]
        responses = self.preparation.responses[layer][self.selection.visits]
        recorded = units.read(responses, stimuli)
        if spikes is None or not spikes.contamination:
            return (recorded,)
        neurons = self.selection.neurons.get(layer)
        if neurons is not None and neurons.neighbours is not None:
            near = replace(units, index=neurons.neighbours)
            return recorded, near.read(responses, stimuli)
        others = spikes.mistaken(responses.shape[-1], units.count, child(generator, 0))
        return recorded, responses[:, stimuli[:, None], others]

    def noisy(
        self, layer: str, signal: Signal, generator: np.random.Generator
    ) -> jt.Float[np.ndarray, "visit stimulus unit"]:
        """Responses of the recorded units of one layer, as the instrument gives them.

        Raises
        ------
        ValueError
            If spikes are counted, or fluorescence has an amplitude, without a calibration.
        """
        recorded, *others = signal
        if self.probe.spikes is not None:
            if self.calibration is None:
                raise ValueError("firing rates need a calibration; see `Probe.calibrate`")
            typical = self.calibration.responses[layer]
            recorded = self.probe.spikes.count(recorded, typical, child(generator, 0), *others)
        elif self.probe.calcium is not None:
            recorded = self._fluorescence(layer, self.probe.calcium, recorded)
            recorded = self.probe.calcium.detected(recorded, substream(generator, "photons"))
        return self.with_noise(layer, recorded, generator)

    def variability(self, layer: str) -> Variability:
        """Variability of the noise-free signal of all units of one layer, or of recorded pools."""
        signal = self.preparation.responses[layer]
        units = self.selection.units[layer]
        if isinstance(units, PooledUnits):
            signal = units.read(signal, self.selection.stimuli)
        if self.probe.spikes is not None:
            assert self.calibration is not None
            signal = self.probe.spikes.firing_rates(signal, self.calibration.responses[layer])
        elif self.probe.calcium is not None:
            signal = self._fluorescence(layer, self.probe.calcium, signal)
        return Variability.of_units(signal)

    def _fluorescence(self, layer: str, calcium: Indicator, signal: np.ndarray) -> np.ndarray:
        """Fluorescence of one layer without noise."""
        if calcium.amplitude is not None:
            if self.calibration is None:
                raise ValueError("an amplitude needs a calibration; see `Probe.calibrate`")
            signal = calcium.scaled(signal, self.calibration.responses[layer])
        return calcium.in_order(signal, self.selection.orders)

    def attributes(self) -> dict[str, str]:
        """Units and long name: activation, firing rate in spikes/s, or fluorescence in dF/F."""
        if self.probe.spikes is not None:
            return {"units": "spikes/s", "long_name": "firing rate"}
        if self.probe.calcium is not None:
            return {
                "units": self.probe.calcium.units,
                "long_name": self.probe.calcium.long_name,
            }
        return super().attributes()

    def coordinates(self) -> dict[str, xr.Variable]:
        """Index, match, position (for a device) and layer of each unit, and order of stimuli.

        The match is to the visit before. The order is there if each visit has its own.
        """
        layers = self.selection.layers
        units = [self.selection.units[layer] for layer in layers]
        dims, axis = units[0].dims, units[0].dims.index(UNIT)
        found = {"unit_index": (dims, np.concatenate([each.index for each in units], axis=axis))}
        matched = [each.matched for each in units if isinstance(each, TurnoverUnits)]
        if matched:
            found["unit_matched"] = (dims, np.concatenate(matched, axis=axis).astype(np.int8))
        if self.probe.device is not None:
            where = np.concatenate([self._positions(layer) for layer in layers], axis=axis)
            own = tuple(dim for dim in dims if dim != MEMBER)
            for place, name in enumerate(("unit_x", "unit_y", "unit_depth")):
                found[name] = (own, where[..., place].astype(np.float32))
        if self.selection.orders is not None:
            places = np.argsort(self.selection.orders, axis=1)
            found["stimulus_order"] = ((VISIT, STIMULUS), places)
        counts = {layer: self.selection.units[layer].count for layer in layers}
        found["unit_layer"] = ((UNIT,), self.owners(counts))
        return {name: coordinate(name, *each) for name, each in found.items()}

    def _positions(self, layer: str) -> np.ndarray:
        """Positions of the recorded units of one layer, in um; of a pool, the mean position."""
        if layer in self.selection.neurons:
            return self.selection.neurons[layer].positions
        layers, units = self.preparation.layers, self.selection.units[layer]
        shape = feature_map_shapes(self.preparation)[layer]
        positions: np.ndarray = unit_positions(shape, layers.index(layer), len(layers))[units.index]
        return positions.mean(1) if isinstance(units, PooledUnits) else positions
