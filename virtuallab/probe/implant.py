"""A probe in place: what it records of one subject."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import xarray as xr
from jaxtyping import Float

from virtuallab.probe.calcium import Calcium
from virtuallab.probe.noise import Noise
from virtuallab.probe.sampling import Indices
from virtuallab.probe.spikes import Spikes
from virtuallab.probe.tissue import Tissue, labels_of
from virtuallab.vocabulary import (
    ACTIVITY,
    ACTIVITY_CHANGE,
    LAYER,
    OBSERVABLES,
    STIMULUS,
    SYNAPSE,
    UNIT,
    VISIT,
    WEIGHTS,
    describe,
)


@dataclass(frozen=True)
class Implant:
    """A probe in place.

    Parameters
    ----------
    layers : tuple of str
        Recorded layers, from input to output.
    observables : tuple of str
        What is measured.
    noise : Noise
    spikes, calcium : Spikes or None, Calcium or None
        By what activity is read; responses themselves if neither.
    visits, stimuli : array of int
    units, synapses, inputs : mapping from layer to array of int
        Chosen indices, ascending.
    """

    layers: tuple[str, ...]
    observables: tuple[str, ...]
    noise: Noise
    spikes: Spikes | None
    calcium: Calcium | None
    visits: Indices
    stimuli: Indices
    units: Mapping[str, Indices]
    synapses: Mapping[str, Indices]
    inputs: Mapping[str, Indices]

    def record(self, tissue: Tissue, noise: np.random.Generator) -> xr.Dataset:
        """Measure.

        The coordinates are the same for all subjects of one make; what was chosen in this one
        (indices of units, synapses and stimuli) is among the variables.

        Parameters
        ----------
        tissue : Tissue
        noise : numpy.random.Generator
            The noise stream of this probe in this subject. Each layer and each observable gets its
            own part of it, so noise in one does not depend on what else is recorded.

        Returns
        -------
        xr.Dataset
            ``activity`` (visit, stimulus, unit), ``weights`` (visit, synapse) and
            ``activity_change`` (visit, stimulus, layer), as far as the probe measures them, in
            single precision.
        """
        streams = {
            observable: dict(zip(tissue.layers, of_it.spawn(len(tissue.layers)), strict=True))
            for observable, of_it in zip(OBSERVABLES, noise.spawn(len(OBSERVABLES)), strict=True)
        }
        variables: dict[str, xr.Variable] = {}
        coords = self._layer_coordinates(tissue)
        for observable in self.observables:
            measure, dims = _MEASURED[observable]
            seen = [measure(self, tissue, n, streams[observable][n]) for n in self.layers]
            # Picking by index leaves axes in any order of memory; what follows reads along units.
            values = np.ascontiguousarray(np.concatenate(seen, axis=-1, dtype=np.float32))
            variables[observable] = xr.Variable(dims, values, describe(observable))
        if ACTIVITY in self.observables:
            variables["unit_index"] = _named("unit_index", UNIT, self._joined(self.units))
            coords["unit_layer"] = _named("unit_layer", UNIT, self._owners(self.units))
        if WEIGHTS in self.observables:
            index = self._joined(self.synapses)
            variables["synapse_index"] = _named("synapse_index", SYNAPSE, index)
            coords["synapse_layer"] = _named("synapse_layer", SYNAPSE, self._owners(self.synapses))
        if self.units:
            variables["stimulus_index"] = _named("stimulus_index", STIMULUS, self.stimuli)
            labels = labels_of(tissue)
            if labels is not None:
                shown = labels[self.stimuli]
                variables["stimulus_label"] = _named("stimulus_label", STIMULUS, shown)
        return xr.Dataset(variables, coords)

    def _layer_coordinates(self, tissue: Tissue) -> dict[str, xr.Variable]:
        count = len(tissue.layers)
        depths = np.array([tissue.layers.index(layer) for layer in self.layers])
        coords = {
            VISIT: _named(VISIT, VISIT, self.visits),
            LAYER: _named(LAYER, LAYER, np.array(self.layers, dtype=object)),
            "layer_depth": _named("layer_depth", LAYER, depths / max(count - 1, 1)),
            "depth_group": _named(
                "depth_group", LAYER, np.array([depth_group(int(d), count) for d in depths])
            ),
        }
        if self.units:
            n_units = np.array([len(self.units[layer]) for layer in self.layers])
            coords["n_units"] = _named("n_units", LAYER, n_units)
        return coords

    def _joined(self, chosen: Mapping[str, Indices]) -> Indices:
        return np.concatenate([chosen[layer] for layer in self.layers])

    def _owners(self, chosen: Mapping[str, Indices]) -> np.ndarray:
        owners = [layer for layer in self.layers for _ in chosen[layer]]
        return np.array(owners, dtype=object)

    def _activity(
        self, tissue: Tissue, layer: str, stream: np.random.Generator
    ) -> Float[np.ndarray, "visit stimulus unit"]:
        signal = tissue.responses[layer][self.visits]
        seen = signal[:, self.stimuli[:, None], self.units[layer]]
        if self.spikes is not None:
            seen = self.spikes.count(seen, signal[:, self.stimuli], stream.spawn(1)[0])
        elif self.calcium is not None:
            seen = self.calcium.glow(seen)
        return self.noise.added(seen, signal, stream)

    def _weights(
        self, tissue: Tissue, layer: str, stream: np.random.Generator
    ) -> Float[np.ndarray, "visit synapse"]:
        signal = tissue.weights[layer][self.visits]
        return self.noise.added(signal[:, self.synapses[layer]], signal, stream)

    def _activity_change(
        self, tissue: Tissue, layer: str, stream: np.random.Generator
    ) -> Float[np.ndarray, "visit stimulus 1"]:
        r"""Layer-wise activity change of the recorded units to the recorded inputs.

        .. math:: g = \frac{1}{|S_{out}|} \sum_{i \in S_{in}}
                  \Big(\varepsilon_i + \sum_{j \in S_{out}} \frac{\partial y_j}{\partial x_i}\Big)

        The noise is on each input's sum. With all units it is the published measure. NaN in a layer
        with no recorded unit.
        """
        units, inputs = self.units[layer], self.inputs[layer]
        if not len(units):
            return np.full((len(self.visits), len(self.stimuli), 1), np.nan, dtype=np.float32)
        sums = tissue.jacobian(layer, units)[self.visits]
        seen = sums[:, self.stimuli[:, None], inputs]
        noisy = self.noise.added(seen, sums, stream)
        change: np.ndarray = noisy.sum(-1, keepdims=True, dtype=np.float64) / len(units)
        return change


_Measure = Callable[[Implant, Tissue, str, np.random.Generator], np.ndarray]
_MEASURED: dict[str, tuple[_Measure, tuple[str, ...]]] = {
    ACTIVITY: (Implant._activity, (VISIT, STIMULUS, UNIT)),
    WEIGHTS: (Implant._weights, (VISIT, SYNAPSE)),
    ACTIVITY_CHANGE: (Implant._activity_change, (VISIT, STIMULUS, LAYER)),
}


def depth_group(index: int, count: int) -> int:
    """Early (0), middle (1) or deep (2): the first and the second third of layers, and the rest.

    >>> [depth_group(i, 4) for i in range(4)]
    [0, 1, 2, 2]
    """
    return min(index // max(count // 3, 1), 2)


def _named(name: str, dim: str, values: np.ndarray) -> xr.Variable:
    return xr.Variable((dim,), values, describe(name))
