"""Evaluation of recording designs in preserved subjects; only features are kept.

Recordings of a hundred subjects by a hundred designs would fill a disk. A subject is prepared once
for many designs, each of them is implanted, and a recording is reduced to the subject's row of
features. Designs are taken in batches, so that memory does not grow with their number.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import numpy as np
import xarray as xr
from joblib import delayed

from virtuallab import seeds
from virtuallab.decoder.features.samples import (
    STAGES,
    Samples,
    at_visit_0,
    by_subject,
    has_visit_0,
)
from virtuallab.lab.planning.network_group import NetworkGroup
from virtuallab.lab.planning.plan import Plan
from virtuallab.lab.planning.subject_table import columns_of
from virtuallab.lab.services.workers import WorkerPool, torch_threads
from virtuallab.lab.stages.experiment import Experiment
from virtuallab.lab.stages.nodes import check_living, living
from virtuallab.lab.stages.subject_recorder import PlannedRecording, SubjectRecorder
from virtuallab.lab.stages.subject_source import SubjectSource, subject_source
from virtuallab.probes import Probe
from virtuallab.probes.statistics.features import FeatureArrays, feature_arrays, label_features
from virtuallab.store import Store
from virtuallab.vocabulary import ACTIVITY, LAYER, OBSERVABLES, PAIR, RULE, SUBJECT, THEORY

_MEMORY = 400_000_000  # bytes of rows that a batch may hold
_VISIT_0, _NOISE = "visit_0", "signal_removed"  # controls
_PIECE = 8  # subjects that one process takes at a time


@dataclass(frozen=True)
class DesignRun:
    """One design, implanted once in every subject.

    Parameters
    ----------
    probe : Probe
    seed : int
        Which implantation. Designs with the same one share their streams: their electrodes are
        drawn alike, and of two that differ in the number of units the smaller lies in the larger.
    observables : tuple of str
        What a decoder will read.
    control : bool
        Record visit 0 and the noise alone as well, for controls.
    """

    probe: Probe
    seed: int
    observables: tuple[str, ...]
    control: bool = False

    def features_of(self, recording: xr.Dataset) -> FeatureArrays:
        """Features of a recording of one subject, of which a decoder reads the observables."""
        theory = THEORY in self.observables
        return feature_arrays(recording, self.probe.statistics, theory=theory)


@dataclass(frozen=True)
class RecordedDesign:
    """Features that one design has recorded, one row a subject, by observable.

    A control has none where it is not evaluated: visit 0 was not recorded, or the design has no
    noise.
    """

    samples: Mapping[str, Samples]
    controls: Mapping[str, Mapping[str, Samples]]  # by name of the control


@dataclass(frozen=True)
class PreservedSubjects:
    """Preserved subjects, in which designs can be evaluated.

    Parameters
    ----------
    plan : Plan
    store : Store
    pool : WorkerPool
        They change nothing but the time.
    """

    plan: Plan
    store: Store
    pool: WorkerPool

    @classmethod
    def of(cls, experiment: Experiment, pool: WorkerPool) -> PreservedSubjects:
        """Return the preserved subjects of an experiment.

        Raises
        ------
        UserError
            If none is left.
        """
        check_living(experiment.store)
        return cls(experiment.plan, experiment.store, pool)

    @cached_property
    def members(self) -> tuple[int, ...]:
        """Indices of the subjects that can be recorded, in the order of the rows."""
        return tuple(sorted(living(self.store)))  # reads a file of each subject

    @property
    def labels(self) -> np.ndarray:
        """Rule of each of them."""
        return np.array([self.plan.subjects[index].label for index in self.members])

    @property
    def pairs(self) -> np.ndarray | None:
        """Number of the pair of each of them; None if the design is not paired."""
        found = columns_of(self.plan.subjects).get(PAIR)
        return None if found is None else found[list(self.members)]

    def record(
        self, trials: Sequence[DesignRun], recorded: Callable[[int], None] = lambda _: None
    ) -> Iterator[RecordedDesign]:
        """Implant every design in every subject; yield what each has recorded, in order.

        Parameters
        ----------
        trials : sequence of DesignRun
        recorded : callable
            Called with the number of subjects recorded by the designs that memory holds at once.
        """
        n_visits, seed = len(self.plan.visits), self.plan.protocol.seed
        with self.pool.parallel(return_as="generator_unordered") as parallel:
            for batch in _batches(trials, len(self.members), n_visits):
                pieces = parallel(
                    delayed(_record)(self._source(group, piece), n_visits, piece, batch, seed)
                    for group in self.plan.network_groups
                    for piece in self._pieces(group)
                )
                rows: dict[int, list[dict[str, Any]]] = {}
                for piece in pieces:
                    rows |= dict(piece)
                    recorded(len(piece))
                for number, trial in enumerate(batch):
                    yield self._joined(trial, [rows[index][number] for index in self.members])

    def _source(self, group: NetworkGroup, piece: Sequence[tuple[int, str]]) -> SubjectSource:
        indices, seed = [index for index, _ in piece], self.plan.protocol.seed
        return subject_source(self.pool, self.store, group, seed, indices)

    def _pieces(self, group: NetworkGroup) -> Iterator[list[tuple[int, str]]]:
        alive = set(self.members)
        mine = [(i, self.plan.subjects[i].key) for i in group.members if i in alive]
        for first in range(0, len(mine), _PIECE):
            yield mine[first : first + _PIECE]

    def _joined(self, trial: DesignRun, rows: Sequence[Mapping[str, Any]]) -> RecordedDesign:
        labels, pairs = self.labels, self.pairs

        def samples(kind: str, name: str) -> Samples:
            visits, values = rows[0][f"{kind} {name}"]
            joined = np.stack([row[f"{kind} {name}"][1] for row in rows]).astype(np.float64)
            assert joined.shape[1:] == values.shape
            return Samples(joined, labels, np.arange(len(joined)), visits, pairs=pairs)

        return RecordedDesign(
            samples={name: samples("learning", name) for name in trial.observables},
            controls={
                control: {
                    name: samples(control, name)
                    for name in trial.observables
                    if f"{control} {name}" in rows[0]
                }
                for control in (_VISIT_0, _NOISE)
            },
        )


def measured(probe: Probe) -> tuple[str, ...]:
    """Observables that a design measures, responses first."""
    seen = probe.resolved.observables
    return tuple(sorted(seen, key=lambda name: (name != ACTIVITY, OBSERVABLES.index(name))))


def _batches(trials: Sequence[DesignRun], subjects: int, visits: int) -> Iterator[list[DesignRun]]:
    """Divide designs so that the rows of one batch fit in memory."""
    # Groups of layers and their differences, changes, stages of learning.
    columns = 5 * 60 * min(visits, STAGES)
    batch: list[DesignRun] = []
    size = 0
    for trial in trials:
        each = 4 * subjects * columns * len(trial.observables) * (2 if trial.control else 1)
        if batch and size + each > _MEMORY:
            yield batch
            batch, size = [], 0
        batch.append(trial)
        size += each
    if batch:
        yield batch


def _record(
    source: SubjectSource,
    visits: int,
    subjects: Sequence[tuple[int, str]],
    trials: Sequence[DesignRun],
    seed: int,
) -> list[tuple[int, list[dict[str, Any]]]]:
    """Record some subjects with all designs: rows by observable."""
    networks = source.reference()
    calibrations = networks.calibrations(trial.probe for trial in trials)
    kept: list[list[FeatureArrays]] = [[] for _ in trials]
    of_noise: list[list[FeatureArrays]] = [[] for _ in trials]
    alike: list[xr.Dataset] = []  # of each trial, what recordings have in common
    with torch_threads(1):
        for index, key in subjects:
            planned = []
            for trial, calibration in zip(trials, calibrations, strict=True):
                # Not the name of the design: two designs are compared best at the same place.
                owner = (key, f"design {trial.seed}")
                choice = partial(seeds.generator, seed, *owner, seeds.PROBE_CHOICE)
                noise = partial(seeds.generator, seed, *owner, seeds.PROBE_NOISE)
                planned.append(
                    PlannedRecording(trial.probe, calibration, choice, noise, trial.control)
                )
            recorder = SubjectRecorder(networks.of_subject(key), visits, planned)
            for states in source.states(index):
                recorder.add(states)
            for number, (trial, (recording, alone)) in enumerate(
                zip(trials, recorder.finish(), strict=True)
            ):
                kept[number].append(trial.features_of(recording))
                if alone is not None:
                    of_noise[number].append(trial.features_of(alone))
                if len(alike) == number:
                    alike.append(recording.coords.to_dataset())
    rows = [
        _rows(
            joined_features(coords, found), joined_features(coords, noise) if noise else None, trial
        )
        for coords, found, noise, trial in zip(alike, kept, of_noise, trials, strict=True)
    ]
    return [(index, [of[place] for of in rows]) for place, (index, _) in enumerate(subjects)]


def joined_features(coords: xr.Dataset, found: Sequence[FeatureArrays]) -> xr.Dataset:
    """Put the features of several subjects together, with the labels that a decoder needs."""
    joined = label_features(coords, FeatureArrays.of_subjects(found))
    group = np.tile(joined["depth_group"].values, (len(found), 1))
    return joined.assign_coords(
        {RULE: (SUBJECT, ["unknown"] * len(found)), "depth_group": ((SUBJECT, LAYER), group)}
    )


def _rows(found: xr.Dataset, noise: xr.Dataset | None, trial: DesignRun) -> list[dict[str, Any]]:
    """Return the features of each subject by observable, with their number of visits."""
    kinds: list[tuple[str, xr.Dataset, Callable[[xr.Dataset, str], Samples]]]
    kinds = [("learning", found, by_subject)]
    if trial.control and has_visit_0(found):
        kinds.append((_VISIT_0, found, at_visit_0))
    if noise is not None:
        kinds.append((_NOISE, noise, by_subject))
    rows: list[dict[str, Any]] = [{} for _ in range(found.sizes[SUBJECT])]
    for kind, features, sampled in kinds:
        for name in trial.observables:
            samples = sampled(features, name)
            for row, values in zip(rows, samples.values.astype(np.float32), strict=True):
                row[f"{kind} {name}"] = (samples.visits, values)
    return rows
