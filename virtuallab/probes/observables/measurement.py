"""The base class of observables: how a probe measures one of them in one subject."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import xarray as xr

from virtuallab.probes.noise.calibration import ProbeCalibration, Variability
from virtuallab.probes.observables.unit_readout import Selection
from virtuallab.probes.preparation import PreparationLike
from virtuallab.probes.resolved import ResolvedProbe
from virtuallab.vocabulary import UNIT, Observable, describe

Signal = tuple[Any, ...]  # of arrays; numpy is imported when it is used


@dataclass(frozen=True)
class Measurement(ABC):
    """One observable as a probe measures it in one subject.

    Parameters
    ----------
    probe : ResolvedProbe
    selection : Selection
        Units, synapses, visits and stimuli that are recorded.
    preparation : PreparationLike
    calibration : ProbeCalibration, optional
        Of the probe; needed for firing rates and signal-to-noise ratios.
    """

    probe: ResolvedProbe
    selection: Selection
    preparation: PreparationLike
    calibration: ProbeCalibration | None
    observable: ClassVar[Observable]
    dims: ClassVar[tuple[str, ...]]

    @abstractmethod
    def signal(self, layer: str, generator: np.random.Generator) -> Signal:
        """Values read of the preparation in one layer, before any noise.

        Parameters
        ----------
        layer : str
        generator : numpy.random.Generator
            That of :meth:`noisy`. Nothing is drawn from it, only from streams of its own.

        Returns
        -------
        tuple of array
            With the axes of ``dims`` except the last, which is of any length. Visits and stimuli
            are read each by itself, so that the signal of a whole recording is the concatenation
            of its parts.
        """

    @abstractmethod
    def noisy(self, layer: str, signal: Signal, generator: np.random.Generator) -> np.ndarray:
        """Values of one layer with noise, along ``dims``, from the signal of all visits."""

    @abstractmethod
    def variability(self, layer: str) -> Variability:
        """Variability of one layer's signal where the preparation is of reference networks."""

    @abstractmethod
    def coordinates(self) -> dict[str, xr.Variable]:
        """Coordinates of the entries of ``dims`` that are chosen in each subject."""

    def attributes(self) -> dict[str, str]:
        """Units and long name of the values."""
        return describe(self.observable)

    def with_noise(
        self, layer: str, signal: np.ndarray, generator: np.random.Generator
    ) -> np.ndarray:
        """Signal of one layer with the probe's noise, which only units may have in common."""
        spread = None
        if self.calibration is not None:
            spread = self.calibration.spreads[self.observable][layer]
        noise = self.probe.noise if UNIT in self.dims else self.probe.noise.independent
        return noise.add(signal, noise.deviation(spread), generator)

    def owners(self, counts: Mapping[str, int]) -> np.ndarray:
        """Name of the layer of each entry, for layers with so many entries."""
        layers = [layer for layer in self.selection.layers for _ in range(counts[layer])]
        return np.array(layers, dtype=object)


def coordinate(name: str, dims: str | tuple[str, ...], values: np.ndarray) -> xr.Variable:
    """Coordinate variable with its units and long name."""
    return xr.Variable(dims, values, describe(name))
