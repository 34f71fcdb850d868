"""Choice of the units, synapses and stimuli that a probe records in one subject."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

import jaxtyping as jt
import numpy as np

from virtuallab.probes.insertion import InsertedDevice, insert
from virtuallab.probes.observables.unit_readout import (
    FixedUnits,
    PooledUnits,
    RecordedNeurons,
    Selection,
    TurnoverUnits,
    UnitReadout,
    with_turnover,
)
from virtuallab.probes.preparation import PreparationLike, feature_map_shapes
from virtuallab.probes.resolved import ResolvedProbe
from virtuallab.probes.sampling import sample_indices, sample_indices_by_weight
from virtuallab.probes.tissue_geometry import neighbourhoods
from virtuallab.probes.tracking import follow, loss_and_return
from virtuallab.seeds import substream
from virtuallab.vocabulary import ACTIVITY_CHANGE, WEIGHTS

Strengths = Mapping[str, Mapping[int, Any]]  # of arrays; numpy is imported when it is used


def summed_above_zero(
    responses: jt.Float[np.ndarray, "stimulus unit"],
) -> jt.Float[np.ndarray, " unit"]:
    """Sum over stimuli of what of each unit's response lies above zero."""
    found: np.ndarray = np.maximum(responses, 0).sum(0, dtype=np.float64)
    return found


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
    strengths : mapping from layer to mapping from int to array, (unit,), optional
        Mean response above zero of the units of a layer by recorded visit, counted from 0, where
        active units are selected. If not given, they are taken from the preparation. Units of a
        visit depend on no later one, so that missing visits leave the others as they are.

    Attributes
    ----------
    visits, stimuli : array of int
        Those that are recorded.
    """

    def __init__(
        self,
        probe: ResolvedProbe,
        preparation: PreparationLike,
        generator: np.random.Generator,
        strengths: Strengths | None = None,
    ) -> None:
        self.probe, self.preparation, self.layers = probe, preparation, preparation.layers
        self._strengths = strengths
        for_stimuli, units, synapses, inputs, self._for_insertion, turnover = generator.spawn(6)
        self._for_tissue, neurons, tracking = generator.spawn(3)
        self._for_neurons, self._for_tracking = (
            dict(zip(self.layers, each.spawn(len(self.layers)), strict=True))
            for each in (neurons, tracking)
        )
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
        self.visits = probe.visit_indices(n_visits)
        shown = n_stimuli if probe.stimuli == "all" else probe.stimuli
        self.stimuli = sample_indices(n_stimuli, shown, for_stimuli)
        self._for_orders = substream(generator, "order of stimuli")

    def select(self) -> Selection:
        """Indices of all that is recorded."""
        counts = self.probe.unit_counts(self._sizes) if self._sizes else {}
        units: dict[str, UnitReadout] = {}
        neurons: dict[str, RecordedNeurons] = {}
        for layer, count in counts.items():
            if self.probe.pickup_radius is None:
                units[layer] = self._recorded_units(layer, count)
            else:
                units[layer], neurons[layer] = self._recorded_neurons(layer, count)
        synapses = self.probe.synapse_counts(self._synapses)
        return Selection(
            layers=self._recorded_layers,
            visits=self.visits,
            stimuli=self.stimuli,
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
            neurons=neurons,
            orders=self._orders() if self.probe.orders_stimuli else None,
        )

    def _orders(self) -> jt.Int[np.ndarray, "visit stimulus"]:
        """Order of the stimuli at each visit, drawn anew."""
        each = np.broadcast_to(np.arange(len(self.stimuli)), (len(self.visits), len(self.stimuli)))
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
        if not self.probe.losing:
            return FixedUnits(first)
        if self.probe.daily_loss:
            return TurnoverUnits(*self._followed(layer, first, self._replacements, _always))
        return with_turnover(
            self.probe.turnover,
            len(self.visits),
            lambda visit, generator: self._found(layer, count, visit, generator),
            first,
            self._for_turnover[layer],
        )

    def _found(
        self, layer: str, count: int, visit: int, generator: np.random.Generator
    ) -> np.ndarray:
        """Units, or groups of them, that the probe finds if it is implanted at this visit."""
        return self._drawn(layer, self._possible(layer, visit), count, visit, generator)

    def _replacements(
        self, layer: str, visit: int, count: int, busy: np.ndarray, generator: np.random.Generator
    ) -> np.ndarray:
        """Units that can take the place of lost ones; fewer than asked for if there are no more."""
        free = np.setdiff1d(self._possible(layer, visit), busy)
        for_draw, for_order = generator.spawn(2)
        drawn = self._drawn(layer, free, min(count, len(free)), visit, for_draw)
        return for_order.permutation(drawn)

    def _drawn(
        self,
        layer: str,
        possible: np.ndarray,
        count: int,
        visit: int,
        generator: np.random.Generator,
    ) -> np.ndarray:
        """So many of the possible units, or groups of them, ascending in their order."""
        return np.take(possible, self._places(layer, possible, count, visit, generator), axis=0)

    def _places(
        self,
        layer: str,
        possible: np.ndarray,
        count: int,
        visit: int,
        generator: np.random.Generator,
    ) -> jt.Int[np.ndarray, " _"]:
        if self.probe.selection == "random":
            return sample_indices(len(possible), count, generator)
        strength = self._strength(layer, visit)[possible]
        return sample_indices_by_weight(
            strength.mean(tuple(range(1, strength.ndim))), count, generator
        )

    def _strength(self, layer: str, visit: int) -> jt.Float[np.ndarray, " unit"]:
        """Mean response above zero of the units of a layer; zeros where it is not known yet."""
        if self._strengths is not None:
            known: np.ndarray | None = self._strengths[layer].get(visit)
            return np.zeros(self._sizes[layer]) if known is None else known
        responses = self.preparation.responses[layer][self.visits[visit]]
        return summed_above_zero(responses[self.stimuli]) / len(self.stimuli)

    def _possible(self, layer: str, visit: int) -> np.ndarray:
        """Units, or groups of them, among which the probe finds its own."""
        if self.probe.pool > 1:
            shape = feature_map_shapes(self.preparation)[layer]
            place = self.layers.index(layer)
            return neighbourhoods(shape, self.probe.pool, place, len(self.layers))
        if self.probe.inserted_device is None:
            return np.arange(self._sizes[layer])
        return self._insertions[visit if self.probe.turnover else 0][layer]

    def _recorded_neurons(self, layer: str, count: int) -> tuple[UnitReadout, RecordedNeurons]:
        """Neurons within the pick-up radius of the device, and the units as which they respond."""
        device, for_tissue = self._devices[0], self._for_neurons[layer]
        for_finding, for_choice = for_tissue.spawn(2)
        isolated = self.probe.isolated_units(self._sizes)[layer]
        found = device.find(layer, 0, max(count, isolated), for_finding)
        units = device.units(layer, found)
        chosen = self._places(layer, units, count, 0, for_choice)
        home = found[chosen[np.argsort(units[chosen], kind="stable")]]
        if self.probe.losing:
            neurons, matched = self._followed(layer, home, self._neurons_found, self._reached)
            units = device.units(layer, neurons)
            readout: UnitReadout = TurnoverUnits(units, matched)
        else:
            neurons, matched = home, np.zeros(count, dtype=bool)
            readout = FixedUnits(device.units(layer, home))
        neighbours = None
        if self.probe.spikes is not None and self.probe.spikes.contamination:
            every = (np.atleast_2d(each) for each in (neurons, matched))
            neighbours = self._neighbours(layer, *every).reshape(neurons.shape)
        return readout, RecordedNeurons(device.positions(layer, neurons), neighbours)

    def _neighbours(self, layer: str, neurons: np.ndarray, matched: np.ndarray) -> np.ndarray:
        """Unit of the nearest neighbour of each neuron, (visit, unit), found where it is new."""
        neighbours = np.empty_like(neurons)
        for visit, recorded in enumerate(neurons):
            device, new = self._device_at(visit), ~matched[visit]
            neighbours[visit] = neighbours[visit - 1]
            near = device.neighbours(layer, visit, recorded[new])
            neighbours[visit, new] = device.units(layer, near)
        return neighbours

    def _followed(
        self,
        layer: str,
        home: np.ndarray,
        replace: Callable[[str, int, int, np.ndarray, np.random.Generator], np.ndarray],
        reached: Callable[[str, int, np.ndarray], np.ndarray],
    ) -> tuple[np.ndarray, np.ndarray]:
        """Units, or neurons, at each visit, and whether they are those of the visit before."""
        probe, intervals = self.probe, np.diff(self.visits)
        losses, returns = loss_and_return(
            probe.daily_loss, probe.daily_return, probe.visit_interval * intervals
        )
        if probe.turnover:
            losses, returns = np.full(len(intervals), probe.turnover), np.zeros(len(intervals))
        return follow(
            home,
            losses,
            returns,
            lambda visit, count, busy, stream: replace(layer, visit, count, busy, stream),
            lambda visit, units: reached(layer, visit, units),
            self._for_tracking[layer],
        )

    def _neurons_found(
        self, layer: str, visit: int, count: int, busy: np.ndarray, generator: np.random.Generator
    ) -> np.ndarray:
        return self._device_at(visit).find(layer, visit, count, generator, busy)

    def _reached(self, layer: str, visit: int, neurons: np.ndarray) -> np.ndarray:
        return self._device_at(visit).reaches(layer, visit, neurons)

    def _device_at(self, visit: int) -> InsertedDevice:
        """The device at a recorded visit; an acute one is at another place at each."""
        return self._devices[visit if self.probe.is_acute else 0]

    @cached_property
    def _devices(self) -> list[InsertedDevice]:
        probe = self.probe
        assert probe.inserted_device is not None
        assert probe.pickup_radius is not None
        for_key, for_drift, for_places = self._for_tissue.spawn(3)
        steps = np.sqrt(probe.visit_interval * np.diff(self.visits, prepend=self.visits[0]))
        walk = for_drift.standard_normal((len(steps), probe.insertions)) * steps[:, None]
        shifts = probe.drift * walk.cumsum(axis=0)
        key = int(for_key.integers(2**63))
        return [
            InsertedDevice(
                probe.inserted_device,
                probe.pickup_radius,
                feature_map_shapes(self.preparation),
                self._recorded_layers,
                shifts,
                key,
                each,
            )
            for each in for_places.spawn(len(self.visits) if probe.is_acute else 1)
        ]

    @property
    def _recorded_layers(self) -> tuple[str, ...]:
        return tuple(self.probe.in_recorded_layers(dict.fromkeys(self.layers, 0)))

    @cached_property
    def _insertions(self) -> list[dict[str, jt.Int[np.ndarray, " _"]]]:
        """Units that the device finds in each recorded layer, by visit if there is turnover."""
        device = self.probe.inserted_device
        assert device is not None
        maps = feature_map_shapes(self.preparation)
        moves = len(self.visits) if self.probe.turnover else 1
        return [
            insert(device, self.probe.insertions, maps, self._recorded_layers, each)
            for each in self._for_insertion.spawn(moves)
        ]


def _always(layer: str, visit: int, units: np.ndarray) -> np.ndarray:
    """Units without a place in the tissue are always within reach."""
    return np.ones(len(units), dtype=bool)
