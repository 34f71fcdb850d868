"""A recording that is made part by part, for subjects that are too large for memory as a whole."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cached_property

import numpy as np
import xarray as xr

from virtuallab.probes.implant import Implant, Signals, Streams
from virtuallab.probes.noise.calibration import ProbeCalibration
from virtuallab.probes.observables.unit_readout import Part
from virtuallab.probes.preparation import PreparationLike
from virtuallab.probes.resolved import ResolvedProbe
from virtuallab.probes.unit_selection import UnitSelector, summed_above_zero


class GrowingRecording:
    """A recording of one subject by one probe, to which visits and stimuli are added in order.

    Only the signals of recorded units, inputs and synapses are kept. The recording is equal to
    :meth:`Implant.record` of the whole subject.

    Parameters
    ----------
    probe : ResolvedProbe
    outline : PreparationLike
        Of the whole subject; its values are not read.
    choice : callable
        Makes the stream that chooses the units anew at each call.
    noise : numpy.random.Generator
        Stream of the noise.
    calibration : ProbeCalibration, optional
        Of the probe.
    """

    def __init__(
        self,
        probe: ResolvedProbe,
        outline: PreparationLike,
        choice: Callable[[], np.random.Generator],
        noise: np.random.Generator,
        calibration: ProbeCalibration | None = None,
    ) -> None:
        self._probe, self._outline, self._choice = probe, outline, choice
        self._calibration = calibration
        self._streams = Streams.of(noise, outline.layers)
        selector = UnitSelector(probe, outline, choice())
        self._visits, self._stimuli = selector.visits, selector.stimuli
        recorded = probe.in_recorded_layers(dict.fromkeys(outline.layers, 0))
        self._sums: dict[str, dict[int, np.ndarray]] = {layer: {} for layer in recorded}
        self._parts: dict[int, list[Signals]] = {}
        self._chosen: Implant | None = None

    @property
    def implant(self) -> Implant:
        """The probe with the units that are chosen up to the last visit that was shown."""
        if self._chosen is None:
            count = max(len(self._stimuli), 1)
            strengths = {
                layer: {visit: total / count for visit, total in sums.items()}
                for layer, sums in self._sums.items()
            }
            selector = UnitSelector(self._probe, self._outline, self._choice(), strengths)
            self._chosen = Implant(self._probe, selector.select())
        return self._chosen

    def records(self, visits: range) -> bool:
        """True if one of these visits is recorded."""
        return bool(len(self._recorded(visits)))

    def selects(self, visits: range) -> bool:
        """True if units are selected by their responses at one of these visits.

        All stimuli of these visits are then to be shown to :meth:`select`, before :meth:`read`.
        """
        return bool(self._looked_at(visits))

    def select(self, preparation: PreparationLike, part: Part) -> None:
        """Take the responses of one more part into account by which active units are selected."""
        shown = self._stimuli[np.isin(self._stimuli, part.stimuli)] - part.stimuli.start
        for number in self._looked_at(part.visits):
            visit = self._visits[number] - part.visits.start
            for layer, sums in self._sums.items():
                found = summed_above_zero(preparation.responses[layer][visit][shown])
                sums[number] = sums[number] + found if number in sums else found
        self._chosen = None

    def read(self, preparation: PreparationLike, part: Part) -> None:
        """Add one more part: visits in ascending order, and of each visit the stimuli in theirs."""
        if self.records(part.visits):
            found = self.implant.read(preparation, self._streams, part)
            self._parts.setdefault(part.visits.start, []).append(found)

    def finish(self) -> xr.Dataset:
        """The whole recording, with noise and coordinates; its parts are forgotten."""
        signals = joined(list(self._parts.values()))
        self._parts = {}
        return self.implant.label(self._outline, signals, self._streams, self._calibration)

    def again(
        self, parts: Iterable[tuple[Part, PreparationLike]], noise: np.random.Generator
    ) -> xr.Dataset:
        """Record other preparations with the same implant, after :meth:`finish`.

        Parameters
        ----------
        parts : iterable of (Part, PreparationLike)
            All visits, and the stimuli in their order.
        noise : numpy.random.Generator
        """
        streams = Streams.of(noise, self._outline.layers)
        row = [self.implant.read(preparation, streams, part) for part, preparation in parts]
        return self.implant.label(self._outline, joined([row]), streams, self._calibration)

    @cached_property
    def _selecting(self) -> Sequence[int]:
        """Numbers of the recorded visits at which units are selected by their responses."""
        if self._probe.selection != "active" or not self._probe.measures_responses:
            return ()
        return range(len(self._visits)) if self._probe.losing else (0,)

    def _recorded(self, visits: range) -> np.ndarray:
        """Numbers of the recorded visits among some visits."""
        return np.flatnonzero(np.isin(self._visits, visits))

    def _looked_at(self, visits: range) -> list[int]:
        return [number for number in self._recorded(visits).tolist() if number in self._selecting]


def joined(rows: Sequence[Sequence[Signals]]) -> Signals:
    """Signals of a whole recording, from those of its parts.

    Parameters
    ----------
    rows : sequence of sequence of Signals
        For consecutive visits, the parts with consecutive stimuli. What depends on no stimulus is
        in the first of these alone.
    """
    first = rows[0][0]
    return {
        name: {
            layer: tuple(
                _concatenated(
                    [
                        _concatenated(
                            [part[name][layer][place] for part in row if name in part], axis=1
                        )
                        for row in rows
                    ],
                    axis=0,
                )
                for place in range(len(first[name][layer]))
            )
            for layer in first[name]
        }
        for name in first
    }


def _concatenated(arrays: Sequence[np.ndarray], axis: int) -> np.ndarray:
    # One array stays as it lies in memory: the order of axes there decides how sums are rounded.
    return arrays[0] if len(arrays) == 1 else np.concatenate(arrays, axis)
