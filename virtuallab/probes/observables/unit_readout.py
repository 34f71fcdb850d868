"""Units behind the channels of a recording: fixed, replaced from visit to visit, or pooled."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

import jaxtyping as jt
import numpy as np

from virtuallab.vocabulary import MEMBER, UNIT, VISIT


@dataclass(frozen=True)
class UnitReadout(ABC):
    """The recorded units of one layer.

    Parameters
    ----------
    index : array of int
        Units among those of the layer, along ``dims``.
    """

    index: np.ndarray
    dims: ClassVar[tuple[str, ...]]

    @abstractmethod
    def read(
        self,
        responses: jt.Float[np.ndarray, "visit stimulus other"],
        stimuli: jt.Int[np.ndarray, " _"],
    ) -> jt.Float[np.ndarray, "visit shown unit"]:
        """Responses of the recorded units, (visit, shown stimulus, unit).

        Parameters
        ----------
        responses : array, (visit, stimulus, unit of the layer)
            At the recorded visits.
        stimuli : array of int
            Stimuli that are shown.
        """

    @property
    def count(self) -> int:
        """Number of channels."""
        return int(self.index.shape[self.dims.index(UNIT)])

    def at(self, visits: jt.Int[np.ndarray, " _"]) -> UnitReadout:
        """The units at some of the recorded visits, counted from 0."""
        return self


@dataclass(frozen=True)
class FixedUnits(UnitReadout):
    """The same units at all visits: ``index`` (unit,)."""

    index: jt.Int[np.ndarray, " unit"]
    dims: ClassVar = (UNIT,)

    def read(
        self,
        responses: jt.Float[np.ndarray, "visit stimulus other"],
        stimuli: jt.Int[np.ndarray, " _"],
    ) -> jt.Float[np.ndarray, "visit shown unit"]:
        """Responses of the units."""
        recorded: np.ndarray = responses[:, stimuli[:, None], self.index]
        return recorded


@dataclass(frozen=True)
class TurnoverUnits(UnitReadout):
    """Units of which some are replaced from visit to visit: ``index`` (visit, unit).

    Parameters
    ----------
    matched : array of bool, (visit, unit)
        Whether a channel still has the unit of the visit before; false at the first.
    """

    index: jt.Int[np.ndarray, "visit unit"]
    matched: jt.Bool[np.ndarray, "visit unit"]
    dims: ClassVar = (VISIT, UNIT)

    def at(self, visits: jt.Int[np.ndarray, " _"]) -> TurnoverUnits:
        """The units at some of the recorded visits."""
        return TurnoverUnits(self.index[visits], self.matched[visits])

    def read(
        self,
        responses: jt.Float[np.ndarray, "visit stimulus other"],
        stimuli: jt.Int[np.ndarray, " _"],
    ) -> jt.Float[np.ndarray, "visit shown unit"]:
        """Responses of each visit's units."""
        visits = np.arange(len(responses))[:, None, None]
        recorded: np.ndarray = responses[visits, stimuli[:, None], self.index[:, None]]
        return recorded


@dataclass(frozen=True)
class PooledUnits(UnitReadout):
    """Channels that average several units each: ``index`` (unit, member)."""

    index: jt.Int[np.ndarray, "unit member"]
    dims: ClassVar = (UNIT, MEMBER)

    def read(
        self,
        responses: jt.Float[np.ndarray, "visit stimulus other"],
        stimuli: jt.Int[np.ndarray, " _"],
    ) -> jt.Float[np.ndarray, "visit shown unit"]:
        """Mean response of each channel's units."""
        shown = responses[:, stimuli]
        # One member after the other: the gathered whole would be as many times larger.
        total = np.zeros((*shown.shape[:2], len(self.index)), dtype=shown.dtype)
        for member in self.index.T:
            total += shown[..., member]
        mean: np.ndarray = total / self.index.shape[1]
        return mean


def with_turnover(
    share: float,
    visits: int,
    find: Callable[[int, np.random.Generator], jt.Int[np.ndarray, " _"]],
    first: jt.Int[np.ndarray, " _"],
    generator: np.random.Generator,
) -> TurnoverUnits:
    """Units of which a share is replaced before each visit but the first.

    Lost units are drawn uniformly. Each is replaced by a unit that the probe would find at that
    visit and does not have; units lost earlier may come back.

    Parameters
    ----------
    share : float
        Of the channels, between 0 and 1; their number is rounded.
    visits : int
        Number of recorded visits.
    find : callable
        Units that the probe would find if implanted anew at the visit of this number: as many as
        there are channels.
    first : array of int
        Units at the first visit.
    generator : numpy.random.Generator
    """
    index = np.empty((visits, len(first)), dtype=np.int64)
    matched = np.zeros(index.shape, dtype=bool)
    index[:1] = first
    lost = round(share * len(first))
    for visit, of_visit in enumerate(generator.spawn(visits)[1:], start=1):
        for_loss, for_finding, for_order = of_visit.spawn(3)
        places = for_loss.permutation(len(first))
        gone, kept = places[:lost], places[lost:]
        index[visit] = index[visit - 1]
        matched[visit, kept] = True
        others = np.setdiff1d(find(visit, for_finding), index[visit, kept])
        index[visit, gone] = for_order.permutation(others)[:lost]
    return TurnoverUnits(index, matched)


@dataclass(frozen=True)
class RecordedNeurons:
    """The neurons of one layer that a device with a pick-up radius records.

    Parameters
    ----------
    positions : array, (unit, 3) or (visit, unit, 3)
        x, y and depth, in um.
    neighbours : array of int, (unit,) or (visit, unit), optional
        Unit as which the nearest neighbour of each responds; None unless its spikes contaminate.
    """

    positions: jt.Float[np.ndarray, "*_ 3"]
    neighbours: jt.Int[np.ndarray, "*_"] | None

    def at(self, visits: jt.Int[np.ndarray, " _"]) -> RecordedNeurons:
        """The neurons at some of the recorded visits, counted from 0."""
        positions, neighbours = self.positions, self.neighbours
        if positions.ndim == 3:
            positions = positions[visits]
            neighbours = None if neighbours is None else neighbours[visits]
        return RecordedNeurons(positions, neighbours)


@dataclass(frozen=True)
class Part:
    """Consecutive visits and stimuli of a subject.

    Parameters
    ----------
    visits, stimuli : range
        Among those at which the subject can be recorded, and those of the task.
    """

    visits: range
    stimuli: range


@dataclass(frozen=True)
class Selection:
    """Layers, visits, stimuli, units and synapses that a probe records of one subject.

    Parameters
    ----------
    layers : tuple of str
        Recorded layers, from input to output.
    visits, stimuli : array of int
        Indices, ascending; no stimuli where no responses are recorded.
    units : mapping from layer to UnitReadout
        Empty where no responses are recorded.
    synapses : mapping from layer to array of int
        Indices, ascending; empty where no weights are recorded.
    inputs : mapping from layer to array of int
        Indices of the recorded inputs of the activity change, ascending; empty without it.
    neurons : mapping from layer to RecordedNeurons
        Empty without a device that has a pick-up radius.
    orders : array of int, (visit, stimulus), optional
        Order in which each visit presents the stimuli, as places among ``stimuli``; None where it
        is that of ``stimuli``.
    """

    layers: tuple[str, ...]
    visits: jt.Int[np.ndarray, " _"]
    stimuli: jt.Int[np.ndarray, " _"]
    units: Mapping[str, UnitReadout]
    synapses: Mapping[str, jt.Int[np.ndarray, " _"]]
    inputs: Mapping[str, jt.Int[np.ndarray, " _"]]
    neurons: Mapping[str, RecordedNeurons]
    orders: jt.Int[np.ndarray, "visit stimulus"] | None = None

    def within(self, part: Part) -> Selection:
        """Selection in a part of the subject, with its visits and stimuli counted from 0.

        It has no orders, which are of all stimuli.
        """
        at = np.flatnonzero(np.isin(self.visits, part.visits))
        shown = self.stimuli[np.isin(self.stimuli, part.stimuli)]
        return replace(
            self,
            visits=self.visits[at] - part.visits.start,
            stimuli=shown - part.stimuli.start,
            units={layer: units.at(at) for layer, units in self.units.items()},
            neurons={layer: neurons.at(at) for layer, neurons in self.neurons.items()},
            orders=None,
        )
