"""Choice of the units, synapses and stimuli that a probe records in one subject."""

from __future__ import annotations

from functools import cached_property

import jaxtyping as jt
import numpy as np

from virtuallab.probes.insertion import insert
from virtuallab.probes.observables.unit_readout import (
    FixedUnits,
    PooledUnits,
    Selection,
    UnitReadout,
    with_turnover,
)
from virtuallab.probes.preparation import PreparationLike, feature_map_shapes
from virtuallab.probes.resolved import ResolvedProbe
from virtuallab.probes.sampling import sample_indices, sample_indices_by_weight
from virtuallab.probes.tissue_geometry import neighbourhoods
from virtuallab.seeds import substream
from virtuallab.vocabulary import ACTIVITY_CHANGE, WEIGHTS


class UnitSelector:
    """Selects the units, synapses, inputs and stimuli that a probe records in one subject.

    Each layer draws from a generator of its own, and so do the stimuli: showing fewer images, or
    recording from fewer layers, does not move the electrodes in the others. Only a selection of
    active units depends on the stimuli.

    Parameters
    ----------
    probe : ResolvedProbe
        A design that :mod:`~virtuallab.probes.validation` finds no problem with.
    preparation : PreparationLike
    generator : numpy.random.Generator
    """

    def __init__(
        self, probe: ResolvedProbe, preparation: PreparationLike, generator: np.random.Generator
    ) -> None:
        self.probe, self.preparation, self.layers = probe, preparation, preparation.layers
        for_stimuli, units, synapses, inputs, self._for_insertion, turnover = generator.spawn(6)
        self._for_units, self._for_synapses, self._for_inputs, self._for_turnover = (
            dict(zip(self.layers, each.spawn(len(self.layers)), strict=True))
            for each in (units, synapses, inputs, turnover)
        )
        self._sizes, self._synapses, n_stimuli = {}, {}, 0
        if probe.measures_responses:
            n_visits, n_stimuli, _ = preparation.responses[self.layers[0]].shape
            self._sizes = {n: preparation.responses[n].shape[-1] for n in self.layers}
        if WEIGHTS in probe.observables:
            n_visits = len(preparation.weights[self.layers[0]])
            self._synapses = {n: preparation.weights[n].shape[-1] for n in self.layers}
        self._visits = probe.visit_indices(n_visits)
        shown = n_stimuli if probe.stimuli == "all" else probe.stimuli
        self._stimuli = sample_indices(n_stimuli, shown, for_stimuli)
        self._for_orders = substream(generator, "order of stimuli")

    def select(self) -> Selection:
        """Indices of all that is recorded."""
        counts = self.probe.unit_counts(self._sizes) if self._sizes else {}
        units = {layer: self._recorded_units(layer, count) for layer, count in counts.items()}
        synapses = self.probe.synapse_counts(self._synapses)
        return Selection(
            layers=self._recorded_layers,
            visits=self._visits,
            stimuli=self._stimuli,
            units=units,
            synapses={
                layer: sample_indices(self._synapses[layer], count, self._for_synapses[layer])
                for layer, count in synapses.items()
            },
            inputs={
                layer: self._recorded_inputs(layer, count)
                for layer, count in counts.items()
                if ACTIVITY_CHANGE in self.probe.observables
            },
            orders=self._orders() if self.probe.orders_stimuli else None,
        )

    def _orders(self) -> jt.Int[np.ndarray, "visit stimulus"]:
        """Order of the stimuli at each visit, drawn anew."""
        each = np.broadcast_to(
            np.arange(len(self._stimuli)), (len(self._visits), len(self._stimuli))
        )
        return self._for_orders.permuted(each, axis=1)

    def _recorded_inputs(self, layer: str, n_units: int) -> jt.Int[np.ndarray, " _"]:
        """The same share of a layer's inputs as of its units, rounded up."""
        there = self.preparation.inputs[layer]
        count = -(-there * n_units // self._sizes[layer])
        return sample_indices(there, count, self._for_inputs[layer])

    def _recorded_units(self, layer: str, count: int) -> UnitReadout:
        first = self._found(layer, count, 0, self._for_units[layer])
        if self.probe.pool > 1:
            return PooledUnits(first)
        if not self.probe.turnover:
            return FixedUnits(first)
        return with_turnover(
            self.probe.turnover,
            len(self._visits),
            lambda visit, generator: self._found(layer, count, visit, generator),
            first,
            self._for_turnover[layer],
        )

    def _found(
        self, layer: str, count: int, visit: int, generator: np.random.Generator
    ) -> np.ndarray:
        """Units, or groups of them, that the probe finds if it is implanted at this visit."""
        possible = self._possible(layer, visit)
        if self.probe.selection == "random":
            return np.take(possible, sample_indices(len(possible), count, generator), axis=0)
        responses = self.preparation.responses[layer][self._visits[visit]]
        shown = np.maximum(responses[self._stimuli][:, possible], 0)
        strength = shown.mean(tuple({0, *range(2, shown.ndim)}), dtype=np.float64)
        return np.take(possible, sample_indices_by_weight(strength, count, generator), axis=0)

    def _possible(self, layer: str, visit: int) -> np.ndarray:
        """Units, or groups of them, among which the probe finds its own."""
        if self.probe.pool > 1:
            shape = feature_map_shapes(self.preparation)[layer]
            place = self.layers.index(layer)
            return neighbourhoods(shape, self.probe.pool, place, len(self.layers))
        if self.probe.inserted_device is None:
            return np.arange(self._sizes[layer])
        return self._insertions[visit][layer]

    @property
    def _recorded_layers(self) -> tuple[str, ...]:
        return tuple(self.probe.in_recorded_layers(dict.fromkeys(self.layers, 0)))

    @cached_property
    def _insertions(self) -> list[dict[str, jt.Int[np.ndarray, " _"]]]:
        """Units that the device finds in each recorded layer, by visit if there is turnover."""
        device = self.probe.inserted_device
        assert device is not None
        maps = feature_map_shapes(self.preparation)
        moves = len(self._visits) if self.probe.turnover else 1
        return [
            insert(device, self.probe.insertions, maps, self._recorded_layers, each)
            for each in self._for_insertion.spawn(moves)
        ]
