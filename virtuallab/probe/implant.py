"""A probe in place: what it records of one subject."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import jaxtyping as jt
import numpy as np
import xarray as xr

from virtuallab.probe.noise.calibration import Calibration
from virtuallab.probe.observables.recorded_units import Channels, Pooled, Turning
from virtuallab.probe.preparation import Tissue, labels_of, maps_of
from virtuallab.probe.tissue_geometry import positions
from virtuallab.vocabulary import (
    ACTIVITY,
    ACTIVITY_CHANGE,
    LAYER,
    MEMBER,
    OBSERVABLES,
    STIMULUS,
    SYNAPSE,
    UNIT,
    VISIT,
    WEIGHTS,
    describe,
)

if TYPE_CHECKING:
    from virtuallab.probe.probe import InEffect


@dataclass(frozen=True)
class Implant:
    """A probe in place.

    Parameters
    ----------
    probe : InEffect
        The design: what is measured, how it is read, with what noise.
    layers : tuple of str
        Recorded layers, from input to output.
    visits, stimuli : array of int
    units : mapping from layer to Channels
    synapses, inputs : mapping from layer to array of int
        Chosen indices, ascending.
    """

    probe: InEffect
    layers: tuple[str, ...]
    visits: jt.Int[np.ndarray, " _"]
    stimuli: jt.Int[np.ndarray, " _"]
    units: Mapping[str, Channels]
    synapses: Mapping[str, jt.Int[np.ndarray, " _"]]
    inputs: Mapping[str, jt.Int[np.ndarray, " _"]]

    def record(
        self, tissue: Tissue, noise: np.random.Generator, calibration: Calibration | None = None
    ) -> xr.Dataset:
        """Measure.

        The coordinates are the same for all subjects of one make, but for
        :data:`~virtuallab.vocabulary.CHOSEN`: what was chosen in this one (indices of units,
        synapses and stimuli, and what follows from them).

        Parameters
        ----------
        tissue : Tissue
        noise : numpy.random.Generator
            The noise stream of this probe in this subject. Each layer and each observable gets its
            own part of it, so noise in one does not depend on what else is recorded.
        calibration : Calibration, optional
            Of this probe. Firing rates and noise by a signal-to-noise ratio need it.

        Returns
        -------
        xr.Dataset
            ``activity`` (visit, stimulus, unit), ``weights`` (visit, synapse) and
            ``activity_change`` (visit, stimulus, layer), as far as the probe measures them, in
            single precision, each with its ``units``.

        Raises
        ------
        ValueError
            If a calibration is needed and not given.
        """
        streams = {
            observable: dict(zip(tissue.layers, of_it.spawn(len(tissue.layers)), strict=True))
            for observable, of_it in zip(OBSERVABLES, noise.spawn(len(OBSERVABLES)), strict=True)
        }
        variables: dict[str, xr.Variable] = {}
        coords = self._layer_coordinates(tissue)
        for observable in self.probe.observables:
            measure, dims = _MEASURED[observable]
            seen = [
                measure(self, tissue, n, streams[observable][n], calibration) for n in self.layers
            ]
            # Picking by index leaves axes in any order of memory; what follows reads along units.
            values = np.ascontiguousarray(np.concatenate(seen, axis=-1, dtype=np.float32))
            attrs = {**describe(observable), **self.probe.quantity(observable)}
            variables[observable] = xr.Variable(dims, values, attrs)
        if ACTIVITY in self.probe.observables:
            coords |= self._who(tissue)
            counts = {layer: channels.count for layer, channels in self.units.items()}
            coords["unit_layer"] = _named("unit_layer", UNIT, self._owners(counts))
        if WEIGHTS in self.probe.observables:
            index = np.concatenate([self.synapses[layer] for layer in self.layers])
            coords["synapse_index"] = _named("synapse_index", SYNAPSE, index)
            counts = {layer: len(chosen) for layer, chosen in self.synapses.items()}
            coords["synapse_layer"] = _named("synapse_layer", SYNAPSE, self._owners(counts))
        if self.units:
            coords["stimulus_index"] = _named("stimulus_index", STIMULUS, self.stimuli)
            labels = labels_of(tissue)
            if labels is not None:
                shown = labels[self.stimuli]
                coords["stimulus_label"] = _named("stimulus_label", STIMULUS, shown)
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
            n_units = np.array([self.units[layer].count for layer in self.layers])
            coords["n_units"] = _named("n_units", LAYER, n_units)
        return coords

    def _who(self, tissue: Tissue) -> dict[str, xr.Variable]:
        """Say which units these are, and of a device where they lie."""
        channels = [self.units[layer] for layer in self.layers]
        dims, axis = channels[0].dims, channels[0].dims.index(UNIT)

        def joined(parts: list[np.ndarray]) -> np.ndarray:
            return np.concatenate(parts, axis=axis)

        who = {"unit_index": (dims, joined([each.index for each in channels]))}
        turning = [each.matched for each in channels if isinstance(each, Turning)]
        if turning:
            who["unit_matched"] = (dims, joined(turning).astype(np.int8))
        if self.probe.device is not None:
            found = [self._positions(tissue, layer) for layer in self.layers]
            flat = tuple(dim for dim in dims if dim != MEMBER)
            for place, name in enumerate(("unit_x", "unit_y", "unit_depth")):
                parts = [each[..., place].astype(np.float32) for each in found]
                who[name] = (flat, joined(parts))
        return {name: xr.Variable(*each, describe(name)) for name, each in who.items()}

    def _positions(self, tissue: Tissue, layer: str) -> np.ndarray:
        place = tissue.layers.index(layer)
        where = positions(maps_of(tissue)[layer], place, len(tissue.layers))
        heard: np.ndarray = where[self.units[layer].index]
        return heard.mean(1) if isinstance(self.units[layer], Pooled) else heard

    def _owners(self, counts: Mapping[str, int]) -> np.ndarray:
        owners = [layer for layer in self.layers for _ in range(counts[layer])]
        return np.array(owners, dtype=object)

    def _deviation(self, observable: str, layer: str, calibration: Calibration | None) -> float:
        """Return the deviation of the noise in a layer."""
        spread = None if calibration is None else calibration.spreads[observable][layer]
        return self.probe.noise.deviation(spread)

    def _activity(
        self,
        tissue: Tissue,
        layer: str,
        stream: np.random.Generator,
        calibration: Calibration | None,
    ) -> jt.Float[np.ndarray, "visit stimulus unit"]:
        seen = self.units[layer].hear(tissue.responses[layer][self.visits], self.stimuli)
        if self.probe.spikes is not None:
            if calibration is None:
                raise ValueError("firing rates need a calibration; see `calibrated`")
            there = tissue.responses[layer][self.visits][:, self.stimuli]
            typical = calibration.responses[layer]
            seen = self.probe.spikes.rates(seen, there, typical, stream.spawn(1)[0])
        elif self.probe.calcium is not None:
            seen = self.probe.calcium.glow(seen)
        return self.probe.noise.added(seen, self._deviation(ACTIVITY, layer, calibration), stream)

    def _weights(
        self,
        tissue: Tissue,
        layer: str,
        stream: np.random.Generator,
        calibration: Calibration | None,
    ) -> jt.Float[np.ndarray, "visit synapse"]:
        seen = tissue.weights[layer][self.visits][:, self.synapses[layer]]
        return self.probe.noise.added(seen, self._deviation(WEIGHTS, layer, calibration), stream)

    def _activity_change(
        self,
        tissue: Tissue,
        layer: str,
        stream: np.random.Generator,
        calibration: Calibration | None,
    ) -> jt.Float[np.ndarray, "visit stimulus 1"]:
        r"""Layer-wise activity change of the recorded units to the recorded inputs.

        .. math:: g = \frac{1}{|S_{out}|} \sum_{i \in S_{in}}
                  \Big(\varepsilon_i + \sum_{j \in S_{out}} \frac{\partial y_j}{\partial x_i}\Big)

        The noise is on each input's sum. With all units it is the published measure. NaN in a layer
        with no recorded unit.
        """
        units, inputs = self.units[layer].index, self.inputs[layer]
        if not len(units):
            return np.full((len(self.visits), len(self.stimuli), 1), np.nan, dtype=np.float32)
        sums = tissue.jacobian(layer, units)[self.visits]
        seen = sums[:, self.stimuli[:, None], inputs]
        deviation = self._deviation(ACTIVITY_CHANGE, layer, calibration)
        noisy = self.probe.noise.added(seen, deviation, stream)
        change: np.ndarray = noisy.sum(-1, keepdims=True, dtype=np.float64) / len(units)
        return change


_MEASURED: dict[str, tuple[Callable[..., np.ndarray], tuple[str, ...]]] = {
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
