"""What each channel of a recording hears: the same unit always, others later, or several."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import jaxtyping as jt
import numpy as np

from virtuallab.vocabulary import MEMBER, UNIT, VISIT


@dataclass(frozen=True)
class Channels(ABC):
    """The channels of one layer.

    Parameters
    ----------
    index : array of int
        Units heard, among those of the layer.
    """

    index: np.ndarray
    dims: ClassVar[tuple[str, ...]]

    @abstractmethod
    def hear(
        self,
        signal: jt.Float[np.ndarray, "visit stimulus other"],
        stimuli: jt.Int[np.ndarray, " _"],
    ) -> jt.Float[np.ndarray, "visit shown unit"]:
        """Pick what the channels hear of a layer's responses at the recorded visits."""

    @property
    def count(self) -> int:
        """How many channels there are."""
        return int(self.index.shape[0])


@dataclass(frozen=True)
class Chronic(Channels):
    """The same unit at all visits: ``index`` (unit,)."""

    index: jt.Int[np.ndarray, " unit"]
    dims: ClassVar = (UNIT,)

    def hear(
        self,
        signal: jt.Float[np.ndarray, "visit stimulus other"],
        stimuli: jt.Int[np.ndarray, " _"],
    ) -> jt.Float[np.ndarray, "visit shown unit"]:
        """Pick the units."""
        seen: jt.Float[np.ndarray, "visit shown unit"] = signal[:, stimuli[:, None], self.index]
        return seen


@dataclass(frozen=True)
class Turning(Channels):
    """Some lose their unit from visit to visit and find another: ``index`` (visit, unit).

    Parameters
    ----------
    matched : array of bool, (visit, unit)
        Whether a channel still has the unit of the visit before; false at the first.
    """

    index: jt.Int[np.ndarray, "visit unit"]
    matched: jt.Bool[np.ndarray, "visit unit"]
    dims: ClassVar = (VISIT, UNIT)

    def hear(
        self,
        signal: jt.Float[np.ndarray, "visit stimulus other"],
        stimuli: jt.Int[np.ndarray, " _"],
    ) -> jt.Float[np.ndarray, "visit shown unit"]:
        """Pick each visit's units."""
        at = np.arange(len(signal))[:, None, None]
        seen: jt.Float[np.ndarray, "visit shown unit"] = signal[
            at, stimuli[:, None], self.index[:, None]
        ]
        return seen

    @property
    def count(self) -> int:
        """How many channels there are."""
        return int(self.index.shape[1])


@dataclass(frozen=True)
class Pooled(Channels):
    """Each the mean of several units: ``index`` (unit, member)."""

    index: jt.Int[np.ndarray, "unit member"]
    dims: ClassVar = (UNIT, MEMBER)

    def hear(
        self,
        signal: jt.Float[np.ndarray, "visit stimulus other"],
        stimuli: jt.Int[np.ndarray, " _"],
    ) -> jt.Float[np.ndarray, "visit shown unit"]:
        """Average the units of each channel."""
        shown = signal[:, stimuli]
        # One member after the other: the gathered whole would be as many times larger.
        total = np.zeros((*shown.shape[:2], len(self.index)), dtype=shown.dtype)
        for member in self.index.T:
            total += shown[..., member]
        mean: jt.Float[np.ndarray, "visit shown unit"] = total / self.index.shape[1]
        return mean


def turning(
    share: float,
    visits: int,
    found_at: Callable[[int, np.random.Generator], jt.Int[np.ndarray, " _"]],
    first: jt.Int[np.ndarray, " _"],
    stream: np.random.Generator,
) -> Turning:
    """Let a share of the channels lose their unit before each visit but the first.

    Who is lost is drawn from all alike. In its place comes one of those that the probe would find
    at that visit and does not have; as likely as any of them, one that it once lost.

    Parameters
    ----------
    share : float
        Of the channels, between 0 and 1; the number of them is rounded.
    visits : int
        Visits recorded.
    found_at : callable
        Units that the probe would find, were it implanted anew: as many as there are channels.
        Told which of its visits it is.
    first : array of int
        Units at the first visit.
    stream : numpy.random.Generator
    """
    index = np.empty((visits, len(first)), dtype=np.int64)
    matched = np.zeros(index.shape, dtype=bool)
    index[:1] = first
    lost = round(share * len(first))
    for visit, of_visit in enumerate(stream.spawn(visits)[1:], start=1):
        of_loss, of_finding, of_order = of_visit.spawn(3)
        places = of_loss.permutation(len(first))
        gone, kept = places[:lost], places[lost:]
        index[visit] = index[visit - 1]
        matched[visit, kept] = True
        others = np.setdiff1d(found_at(visit, of_finding), index[visit, kept])
        index[visit, gone] = of_order.permutation(others)[:lost]
    return Turning(index, matched)
