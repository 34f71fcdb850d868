"""Recording of one subject with several probes, a few visits at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import jaxtyping as jt
import numpy as np
import xarray as xr

from virtuallab.lab.stages.reference import SubjectReference
from virtuallab.probes import Probe
from virtuallab.probes.growing_recording import GrowingRecording
from virtuallab.probes.noise.calibration import ProbeCalibration
from virtuallab.probes.observables.unit_readout import Part
from virtuallab.probes.preparation import PreparationLike, StaticPreparation
from virtuallab.subject.preparation import PreparedSubject, prepare


@dataclass(frozen=True)
class PlannedRecording:
    """A recording of one subject by one probe, before it is made.

    Parameters
    ----------
    probe : Probe
    calibration : ProbeCalibration or None
        Of this probe, from the reference.
    choice : callable
        Makes the stream that chooses the units anew at each call.
    noise : callable
        Makes the probe's noise stream anew at each call.
    alone : bool
        Also record the noise without the signal, if the probe has noise.
    """

    probe: Probe
    calibration: ProbeCalibration | None
    choice: Callable[[], np.random.Generator]
    noise: Callable[[], np.random.Generator]
    alone: bool = True


class SubjectRecorder:
    """Recorder of one subject, which is given its states visit by visit.

    States are kept until there are enough for one preparation
    (:meth:`~virtuallab.lab.planning.network_group.NetworkGroup.part_size`), and then forgotten. So
    a recording is the same whether the states are preserved or come from training.

    Parameters
    ----------
    reference : SubjectReference
    visits : int
        Number of visits of the subject.
    planned : sequence of PlannedRecording
    """

    def __init__(
        self, reference: SubjectReference, visits: int, planned: Sequence[PlannedRecording]
    ) -> None:
        self._reference, self._visits = reference, visits
        self._planned = planned
        self._group = reference.group
        self._at_once, self._shown = self._group.part_size(visits)
        outline = self._group.outline(visits)
        self._stimuli = range(len(outline.labels))
        self._growing = [
            GrowingRecording(
                each.probe.resolved, outline, each.choice, each.noise(), each.calibration
            )
            for each in planned
        ]
        self._begun, self._waiting = 0, list[np.ndarray]()
        self._whole: tuple[Part, PreparedSubject] | None = None

    def add(self, states: jt.Float[np.ndarray, "visit parameter"]) -> None:
        """Record the next visits; the states are copied."""
        for state in states:
            self._waiting.append(state.copy())
            end = self._begun + len(self._waiting)
            if len(self._waiting) == self._at_once or end == self._visits:
                visits = range(self._begun, end)
                block = np.stack(self._waiting)
                self._waiting, self._begun = [], end
                self._record(visits, block)

    def _record(self, visits: range, states: np.ndarray) -> None:
        """Record a block of visits with all probes."""
        [first, *others] = parts = self._parts(visits)
        if len(visits) == self._visits and not others:
            # All there is: each probe reads it when its recording is asked for.
            self._whole = first, self._prepared(states, first)
            return
        recording = [each for each in self._growing if each.records(visits)]
        selecting = [each for each in recording if each.selects(visits)]
        prepared = None if others or not recording else self._prepared(states, first)
        if selecting:
            for part in parts:
                shown = prepared or self._prepared(states, part)
                for each in selecting:
                    each.select(shown, part)
        for part in parts if recording else ():
            shown = prepared or self._prepared(states, part)
            for each in recording:
                each.read(shown, part)

    def finish(self) -> Iterator[tuple[xr.Dataset, xr.Dataset | None]]:
        """Yield what each probe has recorded, after all visits were added.

        Yields
        ------
        recording : xr.Dataset
        noise : xr.Dataset or None
            The same units and the same noise without the signal; None if not recorded.
        """
        for growing, planned in zip(self._growing, self._planned, strict=True):
            if self._whole is not None:
                part, prepared = self._whole
                if growing.selects(part.visits):
                    growing.select(prepared, part)
                growing.read(prepared, part)
            recording = growing.finish()
            if planned.alone and planned.probe.resolved.is_noisy:
                yield recording, growing.again(self._without_signal(), planned.noise())
            else:
                yield recording, None

    def _parts(self, visits: range) -> list[Part]:
        """Parts of some visits, each with as many stimuli as one preparation may hold."""
        firsts = range(0, max(len(self._stimuli), 1), self._shown)
        return [Part(visits, self._stimuli[at : at + self._shown]) for at in firsts]

    def _prepared(self, states: np.ndarray, part: Part) -> PreparedSubject:
        group = self._group
        return prepare(group.architecture, group.task, states, self._indices(part))

    def _indices(self, part: Part) -> np.ndarray | None:
        return None if part.stimuli == self._stimuli else np.asarray(part.stimuli)

    def _without_signal(self) -> Iterator[tuple[Part, PreparationLike]]:
        [first, *others] = parts = self._parts(range(self._visits))
        if not others:
            yield first, self._unchanging
            return
        for part in parts:
            yield part, self._reference.unchanging(self._visits, part.stimuli)

    @cached_property
    def _unchanging(self) -> StaticPreparation:
        """All stimuli shown to what is recorded in the place of the subject."""
        return self._reference.unchanging(self._visits)
