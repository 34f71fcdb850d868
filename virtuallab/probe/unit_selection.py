"""Which units of each layer a probe finds, and how many."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import jaxtyping as jt
import numpy as np

from virtuallab.probe.device import device_of, reached, yields
from virtuallab.probe.observables.recorded_units import Channels, Chronic, Pooled, turning
from virtuallab.probe.preparation import Tissue, maps_of
from virtuallab.probe.sampling import drawn, drawn_by_weight, even_shares, shares
from virtuallab.probe.tissue_geometry import Map, neighbourhoods

if TYPE_CHECKING:
    from virtuallab.probe.probe import InEffect, Probe


def recorded(probe: Probe, sizes: Mapping[str, int]) -> dict[str, int]:
    """Keep the layers that a probe records."""
    return {n: size for n, size in sizes.items() if probe.layers is None or n in probe.layers}


def available(probe: InEffect, sizes: Mapping[str, int]) -> dict[str, int]:
    """How many channels each recorded layer could have: after the device, and after pooling.

    Parameters
    ----------
    probe : InEffect
    sizes : mapping from layer to int
        Units of every layer, from the surface down.
    """
    there = recorded(probe, sizes)
    device = device_of(probe.device)
    if device is not None and device.units and there:
        each = yields(device, there, list(sizes))
        there = {n: min(size, probe.insertions * each[n]) for n, size in there.items()}
    return {n: size // probe.pool for n, size in there.items()}


def units_of(probe: InEffect, sizes: Mapping[str, int]) -> dict[str, int]:
    """How many channels a probe has in each recorded layer, of so many units."""
    return _divided(probe, probe.units, probe.units_per_layer, available(probe, sizes))


def synapses_of(probe: InEffect, sizes: Mapping[str, int]) -> dict[str, int]:
    """How many synapses a probe measures in each recorded layer, of so many."""
    return _divided(probe, probe.synapses, probe.synapses_per_layer, recorded(probe, sizes))


def _divided(
    probe: InEffect, total: int | str, each: int | None, there: Mapping[str, int]
) -> dict[str, int]:
    """Divide what a probe asks for among the layers."""
    if each is not None:
        return dict.fromkeys(there, each)
    if not isinstance(total, int) or not there:
        return dict(there)
    return even_shares(there, total) if probe.division == "even" else shares(there, total)


@dataclass(frozen=True)
class Finder:
    """Finds a probe's units in one subject.

    Parameters
    ----------
    probe : InEffect
    tissue : Tissue
    visits, stimuli : array of int
        Those recorded.
    of_units, of_insertion, of_turnover : numpy.random.Generator
    """

    probe: InEffect
    tissue: Tissue
    visits: jt.Int[np.ndarray, " _"]
    stimuli: jt.Int[np.ndarray, " _"]
    of_units: np.random.Generator
    of_insertion: np.random.Generator
    of_turnover: np.random.Generator
    _inserted: dict[int, dict[str, jt.Int[np.ndarray, " _"]]] = field(default_factory=dict)

    def channels(self, sizes: Mapping[str, int]) -> dict[str, Channels]:
        """Choose the channels of each recorded layer.

        Each layer draws from a stream of its own: recording from fewer layers does not move the
        electrodes in the others.
        """
        layers = self.tissue.layers
        unit_streams = dict(zip(layers, self.of_units.spawn(len(layers)), strict=True))
        turnover_streams = dict(zip(layers, self.of_turnover.spawn(len(layers)), strict=True))
        asked = units_of(self.probe, sizes)
        return {
            layer: self._of_layer(layer, count, unit_streams[layer], turnover_streams[layer])
            for layer, count in asked.items()
        }

    def _of_layer(
        self,
        layer: str,
        count: int,
        stream: np.random.Generator,
        of_turnover: np.random.Generator,
    ) -> Channels:
        first = self._found(layer, count, 0, stream)
        if self.probe.pool > 1:
            return Pooled(first)
        if not self.probe.turnover:
            return Chronic(first)
        return turning(
            self.probe.turnover,
            len(self.visits),
            lambda visit, anew: self._found(layer, count, visit, anew),
            first,
            of_turnover,
        )

    def _found(self, layer: str, count: int, visit: int, stream: np.random.Generator) -> np.ndarray:
        """Units, or groups of them, that the probe finds if it is implanted at this visit."""
        possible = self._possible(layer, visit)
        if self.probe.selection == "random":
            chosen = drawn(len(possible), count, stream)
            return np.take(possible, chosen, axis=0)
        seen = self.tissue.responses[layer][self.visits[visit]][self.stimuli][:, possible]
        axes = tuple({0, *range(2, seen.ndim)})
        strength = np.maximum(seen, 0).mean(axes, dtype=np.float64)
        return np.take(possible, drawn_by_weight(strength, count, stream), axis=0)

    def _possible(self, layer: str, visit: int) -> np.ndarray:
        maps, layers = maps_of(self.tissue), list(self.tissue.layers)
        if self.probe.pool > 1:
            return neighbourhoods(maps[layer], self.probe.pool, layers.index(layer), len(layers))
        device = device_of(self.probe.device)
        if device is None or not device.units:
            return np.arange(int(np.prod(maps[layer])))
        return self._insertion(visit, maps)[layer]

    def _insertion(
        self, visit: int, maps: Mapping[str, Map]
    ) -> dict[str, jt.Int[np.ndarray, " _"]]:
        """Units that the device reaches at a visit, of all recorded layers."""
        if not self._inserted:
            device = device_of(self.probe.device)
            assert device is not None
            layers = list(recorded(self.probe, dict.fromkeys(maps, 0)))
            moves = len(self.visits) if self.probe.turnover else 1
            for number, stream in enumerate(self.of_insertion.spawn(moves)):
                self._inserted[number] = reached(
                    device, self.probe.insertions, maps, layers, stream
                )
        return self._inserted[visit]
