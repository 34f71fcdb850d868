"""An implant: a probe in one subject, which is recorded or used for calibration."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import xarray as xr

from virtuallab.probes.noise.calibration import ProbeCalibration, Variability, mean_square
from virtuallab.probes.observables.activity import ActivityMeasurement
from virtuallab.probes.observables.activity_change import ActivityChangeMeasurement
from virtuallab.probes.observables.measurement import Measurement, Signal, coordinate
from virtuallab.probes.observables.unit_readout import Part, Selection
from virtuallab.probes.observables.weights import WeightMeasurement
from virtuallab.probes.preparation import PreparationLike, stimulus_labels
from virtuallab.probes.resolved import ResolvedProbe
from virtuallab.probes.tissue_geometry import depth_group
from virtuallab.vocabulary import LAYER, OBSERVABLES, STIMULUS, VISIT, WEIGHTS, Observable

MEASUREMENTS: Final[Mapping[Observable, type[Measurement]]] = {
    kind.observable: kind
    for kind in (ActivityMeasurement, WeightMeasurement, ActivityChangeMeasurement)
}
Signals = Mapping[Observable, Mapping[str, Signal]]  # by layer


@dataclass(frozen=True)
class Streams:
    """Random streams of the noise of one recording.

    Parameters
    ----------
    of_layer : mapping from observable to mapping from layer to numpy.random.Generator
    """

    of_layer: Mapping[Observable, Mapping[str, np.random.Generator]]

    @classmethod
    def of(cls, generator: np.random.Generator, layers: Sequence[str]) -> Streams:
        """Spawn the streams of one recording."""
        each = zip(OBSERVABLES, generator.spawn(len(OBSERVABLES)), strict=True)
        return cls(
            {
                name: dict(zip(layers, stream.spawn(len(layers)), strict=True))
                for name, stream in each
            }
        )


@dataclass(frozen=True)
class Implant:
    """A probe that is implanted in one subject.

    Parameters
    ----------
    probe : ResolvedProbe
    selection : Selection
        Units, synapses, visits and stimuli that it records of this subject.
    """

    probe: ResolvedProbe
    selection: Selection

    def record(
        self,
        preparation: PreparationLike,
        generator: np.random.Generator,
        calibration: ProbeCalibration | None = None,
    ) -> xr.Dataset:
        """Record the subject.

        The coordinates are the same for all subjects of one architecture, except for those in
        :data:`~virtuallab.vocabulary.CHOSEN`.

        Parameters
        ----------
        preparation : PreparationLike
        generator : numpy.random.Generator
            Of the noise. Each layer and each observable has a stream of its own, so noise in one
            does not depend on which others are recorded.
        calibration : ProbeCalibration, optional
            Of this probe (:meth:`Probe.calibrate`); needed for firing rates and signal-to-noise
            ratios.

        Returns
        -------
        xr.Dataset
            Of ``activity`` (visit, stimulus, unit), ``weights`` (visit, synapse) and
            ``activity_change`` (visit, stimulus, layer) those that the probe measures, in single
            precision, each with its ``units``.

        Raises
        ------
        ValueError
            If a calibration is needed and not given.
        """
        streams = Streams.of(generator, preparation.layers)
        return self.label(preparation, self.read(preparation, streams), streams, calibration)

    def read(
        self, preparation: PreparationLike, streams: Streams, part: Part | None = None
    ) -> Signals:
        """Read all that is recorded of a preparation, before any noise.

        Parameters
        ----------
        preparation : PreparationLike
        streams : Streams
            Of the noise; nothing is drawn from them.
        part : Part, optional
            Visits and stimuli that the preparation has; all if not given.
        """
        here = self if part is None else replace(self, selection=self.selection.within(part))
        # Weights are read once at each visit, and not with every stimulus.
        again = part is not None and part.stimuli.start > 0
        return {
            name: {
                layer: measurement.signal(layer, streams.of_layer[name][layer])
                for layer in self.selection.layers
            }
            for name, measurement in here._measurements(preparation, None).items()
            if not (again and name == WEIGHTS)
        }

    def label(
        self,
        preparation: PreparationLike,
        signals: Signals,
        streams: Streams,
        calibration: ProbeCalibration | None = None,
    ) -> xr.Dataset:
        """Add noise to the signals of the whole recording, and coordinates.

        Parameters
        ----------
        preparation : PreparationLike
            Of it no more is read than an :class:`Outline` has.
        signals : Signals
        streams : Streams
            Of the noise.
        calibration : ProbeCalibration, optional

        Returns
        -------
        xr.Dataset
            As :meth:`record` returns.
        """
        layers = preparation.layers
        measurements = self._measurements(preparation, calibration)
        variables: dict[str, xr.Variable] = {}
        for name, measurement in measurements.items():
            each = [
                measurement.noisy(n, signals[name][n], streams.of_layer[name][n])
                for n in self.selection.layers
            ]
            # Indexing leaves axes in any order of memory; statistics read along units.
            values = np.ascontiguousarray(np.concatenate(each, axis=-1, dtype=np.float32))
            variables[name] = xr.Variable(measurement.dims, values, measurement.attributes())
        coords = self._layer_coordinates(layers)
        for name in MEASUREMENTS:
            if name in measurements:
                coords |= measurements[name].coordinates()
        return xr.Dataset(variables, coords | self._stimulus_coordinates(preparation))

    def calibrate(
        self,
        reference: PreparationLike,
        others: Callable[[], Iterable[PreparationLike]] = tuple,
    ) -> ProbeCalibration:
        """Signal of the reference networks; see :meth:`Probe.calibrate`."""
        layers = self.selection.layers
        responses: dict[str, float] = {}
        if self.probe.measures_responses:
            squares = [
                {layer: mean_square(some.responses[layer]) for layer in layers}
                for some in itertools.chain([reference], others())
            ]
            responses = {
                n: float(np.sqrt(sum(each[n] for each in squares) / len(squares))) for n in layers
            }
        typical = ProbeCalibration({}, responses)
        found: list[dict[Observable, dict[str, Variability]]] = [
            {
                name: {layer: measurement.variability(layer) for layer in layers}
                for name, measurement in self._measurements(some, typical).items()
            }
            for some in itertools.chain([reference], others())
        ]
        spreads = {
            name: {
                layer: Variability.joined([each[name][layer] for each in found]).spread()
                for layer in layers
            }
            for name in self.probe.observables
        }
        return ProbeCalibration(spreads, responses)

    def _measurements(
        self, preparation: PreparationLike, calibration: ProbeCalibration | None
    ) -> dict[Observable, Measurement]:
        return {
            name: MEASUREMENTS[name](self.probe, self.selection, preparation, calibration)
            for name in self.probe.observables
        }

    def _layer_coordinates(self, layers: tuple[str, ...]) -> dict[str, xr.Variable]:
        chosen, count = self.selection, len(layers)
        depths = np.array([layers.index(layer) for layer in chosen.layers])
        found = {
            VISIT: chosen.visits,
            LAYER: np.array(chosen.layers, dtype=object),
            "layer_depth": depths / max(count - 1, 1),
            "depth_group": np.array([depth_group(int(depth), count) for depth in depths]),
        }
        if chosen.units:
            found["n_units"] = np.array([chosen.units[layer].count for layer in chosen.layers])
        return {n: coordinate(n, VISIT if n == VISIT else LAYER, v) for n, v in found.items()}

    def _stimulus_coordinates(self, preparation: PreparationLike) -> dict[str, xr.Variable]:
        if not self.selection.units:
            return {}
        found = {"stimulus_index": self.selection.stimuli}
        labels = stimulus_labels(preparation)
        if labels is not None:
            found["stimulus_label"] = labels[self.selection.stimuli]
        return {name: coordinate(name, STIMULUS, values) for name, values in found.items()}
