"""References: recordings or simulated twins of the recording's kind, whose rules are not read.

Their samples give the centre relative to which a decoder reads the recording
(`decoder/features/centring.py`). Twins are the subjects of an experiment of one kind.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
import xarray as xr
from rich.console import Console

from virtuallab.decoder.features.samples import Samples
from virtuallab.decoder.uncertainty.novelty import Values
from virtuallab.errors import UserError
from virtuallab.lab.identification.descriptions import kinds_of
from virtuallab.lab.identification.matched_decoder import (
    matched_probe,
    probe_samples,
    recorded_probe,
    recorded_samples,
    sample_of,
)
from virtuallab.lab.identification.own_recordings import (
    check_own,
    experiment_of,
    is_experiment,
    recorded_subjects,
)
from virtuallab.lab.services.workers import WorkerPool
from virtuallab.lab.stages.experiment import Experiment, resume
from virtuallab.lab.stages.nodes import (
    check_living,
    check_preserved,
    check_trained,
    living,
    stage,
)
from virtuallab.probes import Probe
from virtuallab.recordings import read_subjects
from virtuallab.store import Store
from virtuallab.store.decoders.metadata import DecoderMetadata
from virtuallab.text import count_noun
from virtuallab.vocabulary import SUBJECT


@dataclass(frozen=True, kw_only=True)
class GivenRecording:
    """The recording that is to be identified, and how it was read.

    Parameters
    ----------
    paths : tuple of Path
    subject : str or None
        Its subject, if there are several.
    recording : xr.Dataset
    stimuli_table, visits_from : str or None
        As for :func:`virtuallab.recordings.read_recording`.
    """

    paths: tuple[Path, ...]
    subject: str | None
    recording: xr.Dataset
    stimuli_table: str | None = None
    visits_from: str | None = None

    def is_in(self, path: Path) -> bool:
        """Return whether the recording is at a path, or below it."""
        place = path.resolve()
        return any(place in (own.resolve(), *own.resolve().parents) for own in self.paths)


@dataclass(frozen=True)
class RecordedReferences:
    """References that were read from a file, one recording a subject."""

    path: Path
    recordings: tuple[xr.Dataset, ...]

    def samples(self, first: int, pool: WorkerPool, console: Console) -> Iterator[Samples]:
        """Yield the sample of each recording, whose first visit corresponds to ``first``."""
        for each in self.recordings:
            yield sample_of(each, first)


@dataclass(frozen=True)
class Twins:
    """Subjects of an experiment of one kind.

    Parameters
    ----------
    path : Path
    experiment : Experiment
    probe : str or Probe
        Name of the probe whose recordings are read, or the design by which they are recorded.
    tested : str or None
        Name of the subject that is to be identified, if it is one of them.
    """

    path: Path
    experiment: Experiment
    probe: str | Probe
    tested: str | None

    @property
    def members(self) -> list[int]:
        """Indices of the subjects that are recorded."""
        store = self.experiment.store
        if isinstance(self.probe, str):
            return sorted(store.committed_subjects(stage(self.probe)))
        return sorted(living(store))

    def samples(self, first: int, pool: WorkerPool, console: Console) -> Iterator[Samples]:
        """Yield the samples of all subjects but the tested one."""
        if isinstance(self.probe, str):
            found = probe_samples(self.experiment, self.probe)
        else:
            found = recorded_samples(self.experiment, self.probe, pool, console)
        names = self.experiment.store.subjects[SUBJECT].to_numpy()[self.members]
        yield found.take(np.flatnonzero(names != self.tested))


Source: TypeAlias = RecordedReferences | Twins


def open_references(
    paths: Sequence[Path], tested: GivenRecording, *, probe_name: str, fractions: bool
) -> list[Source]:
    """Read the files of references, and open the experiments of twins.

    Parameters
    ----------
    paths : sequence of Path
        Recordings, or experiments of twins.
    tested : GivenRecording
        It is never among its references.
    probe_name : str
        Probe whose recordings of twins are read; if empty, preserved twins are recorded as the
        recording was made.
    fractions : bool
        Of these: at the same fractions of learning; see
        :func:`virtuallab.recordings.matching_probe`.

    Raises
    ------
    UserError
        If one cannot be read, is given twice, is the recording itself, or twins are of several
        kinds, not preserved, or have no such probe.
    StoreError, MachineError
        If an experiment cannot be opened, or a recording is damaged.
    """
    places = [path.resolve() for path in paths]
    for path, place in zip(paths, places, strict=True):
        if places.count(place) > 1:
            raise UserError(
                f"--reference: {path} is given twice, and would count as more references than it "
                "has. Give it once."
            )
    found = [
        _twins(path, tested, probe_name, fractions)
        if is_experiment(path)
        else _recorded(path, tested)
        for path in paths
    ]
    twins = [source for source in found if isinstance(source, Twins)]
    kinds = sorted({kind for each in twins for kind in kinds_of(each.experiment, each.members)})
    if len(kinds) > 1:
        raise UserError(
            f"--reference: the subjects of {', '.join(str(each.path) for each in twins)} are of "
            f"{len(kinds)} kinds ({', '.join(kinds)}), and references are of one, that of the "
            "recording. Give an experiment of one architecture and one task, or the recordings of "
            "one network, runs/TWINS.zarr/recordings/PROBE/NETWORK."
        )
    return found


def reference_values(
    sources: Sequence[Source],
    sample: Samples,
    facts: DecoderMetadata,
    pool: WorkerPool,
    console: Console,
) -> Values:
    """Samples of all references, one row each.

    Parameters
    ----------
    sources : sequence of Source
    sample : Samples
        Of the recording.
    facts : DecoderMetadata
    pool : WorkerPool
        Records twins.
    console : rich.console.Console
        For progress.

    Returns
    -------
    array, (reference, column)

    Raises
    ------
    UserError
        If references have other visits than the decoder reads, or nothing that the recording has.
    """
    rows = []
    for source in sources:
        for found in source.samples(min(facts.visits), pool, console):
            if found.visits != facts.stages:
                raise UserError(
                    f"--reference: {source.path}: its visits make "
                    f"{count_noun(found.visits, 'stage')} of learning, and the decoder reads "
                    f"{facts.stages}, those of the recording. References need visits like the "
                    "recording's, before learning or not."
                )
            rows.append(found.values)
    values = np.concatenate(rows)
    read = np.isfinite(sample.values[0])
    read[list(facts.absent)] = False
    if read.any() and not np.isfinite(values[:, read]).any():
        raise UserError(
            f"--reference: {', '.join(str(source.path) for source in sources)}: of what the "
            "decoder reads of the recording (early, middle or deep layers, classes of stimuli), "
            "nothing is defined in the references. Give references that were recorded like it."
        )
    return values


def _recorded(path: Path, tested: GivenRecording) -> RecordedReferences:
    check_own(path, None)
    # Another probe of the same experiment has recorded the tested subject too.
    is_same = tested.is_in(experiment_of(path) or path)
    subjects = read_subjects(
        path,
        among=recorded_subjects(path),
        stimuli_table=tested.stimuli_table,
        visits_from=tested.visits_from,
    )
    found = [each for name, each in subjects if not is_same or name not in (None, tested.subject)]
    if not found or (is_same and tested.subject is None):
        raise UserError(
            f"--reference: {path}: there are no other subjects in it than the one that is to be "
            "identified, which is no reference of itself."
        )
    return RecordedReferences(path, tuple(found))


def _twins(path: Path, tested: GivenRecording, probe_name: str, fractions: bool) -> Twins:
    store = Store.open(path)
    check_trained(store)
    check_living(store)
    experiment = resume(store)
    probe: str | Probe = probe_name
    if probe_name:
        recorded_probe(experiment, probe_name)
    else:
        check_preserved(store, "its subjects cannot be recorded as the recording was made")
        probe = matched_probe(experiment, tested.recording, fractions=fractions)
    return Twins(path, experiment, probe, tested.subject if tested.is_in(path) else None)
