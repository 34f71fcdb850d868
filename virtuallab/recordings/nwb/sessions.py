"""Read files of Neurodata Without Borders, one for each visit or one that holds several."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import jaxtyping as jt
import numpy as np
import xarray as xr

from virtuallab.errors import UserError
from virtuallab.recordings.file_access import library, reading
from virtuallab.recordings.nwb.intervals import Trials, invalid_times, trials_of, visits_of
from virtuallab.recordings.nwb.responses import NAMES, Units, quantities, units_of
from virtuallab.recordings.nwb.table import KIND
from virtuallab.recordings.text import as_words, counted, few, missing
from virtuallab.vocabulary import ACTIVITY, LAYER, STIMULUS, UNIT, VISIT


@dataclass(frozen=True)
class Opened:
    """An NWB file that is open.

    Parameters
    ----------
    file : Path
    contents : pynwb.NWBFile
    start : datetime
        Start of the session; in UTC if the file names no time zone.
    zoned : bool
        Whether the file names a time zone.
    """

    file: Path
    contents: Any
    start: datetime
    zoned: bool


@dataclass(frozen=True)
class Session:
    """What is read of one visit.

    Parameters
    ----------
    source : str
        The file, and the visit in it where it holds several.
    stimuli : list of str
        Of each trial.
    labels : list of str, optional
        Class of each trial's stimulus; empty where it is missing.
    units : Units
    """

    source: str
    stimuli: list[str]
    labels: list[str] | None
    units: Units


def sessions(
    files: Sequence[Path],
    source: str,
    *,
    stimuli_table: str | None = None,
    visits_from: str | None = None,
) -> tuple[xr.Dataset, list[str]]:
    """Read files whose visits are in the order of their session start times.

    Of units with spike times the response is their rate in a trial, from its start up to its stop,
    in spikes per second; without such units, it is a region's mean fluorescence in that time. Units
    that are not in all files are dropped, and counted in the attribute ``dropped_units``. A unit's
    response is missing in trials that are not wholly within its ``obs_intervals``, or overlap the
    file's ``invalid_times``.

    Parameters
    ----------
    files : sequence of Path
    source : str
        What messages call them together.
    stimuli_table : str, optional
        Table of intervals that says what was shown when; ``trials`` if not given.
    visits_from : str, optional
        Table of intervals whose rows are visits; each file is one visit if not given.

    Returns
    -------
    dataset : xr.Dataset
        ``activity`` (visit, stimulus, trial, unit), NaN where a stimulus was shown less often than
        another, or a response is missing.
    notes : list of str
        What was left out or matched, in words.

    Raises
    ------
    UserError
        If a file cannot be read, or they do not belong together.
    """
    notes: list[str] = []
    with ExitStack() as stack:
        opened = sorted(
            (stack.enter_context(_opened(file)) for file in files), key=lambda one: one.start
        )
        _check_subjects(opened, source)
        _check_starts(opened)
        notes += _unzoned(opened)
        kind, remarks = _quantity(opened, source)
        notes += remarks
        read = [
            session
            for one in opened
            for session in _sessions(one, kind, stimuli_table, visits_from, notes)
        ]
    _check_together(read)
    names, remarks = _names(read)
    notes += remarks
    first, *later = names
    everyone = list(dict.fromkeys(name for of_visit in names for name in of_visit))
    common = [name for name in first if all(name in other for other in later)]
    if not common:
        raise UserError(
            f"{source}: no unit is in all {len(read)} files; found {len(everyone)} ids. Give a "
            "unit that is followed from visit to visit the same id in each file."
        )
    stimuli = list(dict.fromkeys(read[0].stimuli))
    columns = [[of_visit.index(name) for name in common] for of_visit in names]
    activity = _together(read, stimuli, columns)
    variables: dict[str, Any] = {
        ACTIVITY: ((VISIT, STIMULUS, "trial", UNIT), activity, {"units": read[0].units.unit}),
        UNIT: (UNIT, np.array(common, dtype=object)),
        STIMULUS: (STIMULUS, np.array(stimuli, dtype=object)),
    }
    units = read[0].units
    if units.layers is not None:
        _check_layers(read, columns, common, source)
        layers = [units.layers[place] for place in columns[0]]
        variables[LAYER] = (UNIT, np.array(layers, dtype=object))
    if units.depth is not None:
        variables["depth"] = (UNIT, units.depth[columns[0]])
    labels = _labels(read)
    if labels is not None:
        variables["label"] = (STIMULUS, np.array([labels[name] for name in stimuli], dtype=object))
    dropped = len(everyone) - len(common)
    return xr.Dataset(variables, attrs={"dropped_units": dropped}), notes


def nwb_in_zarr(path: Path) -> str:
    """Message on an NWB file in a zarr folder."""
    return (
        f"{path}: is an NWB file in a zarr folder, which is not read here. Export it to HDF5 with "
        "pynwb and hdmf-zarr: NWBHDF5IO(FILE, 'w').export(src_io=NWBZarrIO(FOLDER, 'r'))."
    )


@contextmanager
def _opened(file: Path) -> Iterator[Opened]:
    if file.is_dir():
        raise UserError(nwb_in_zarr(file))
    pynwb = library("pynwb", "to read NWB files", "virtuallab[nwb]")
    h5py = library("h5py", "to read NWB files")
    with ExitStack() as stack:
        with reading(file, KIND):
            stored = stack.enter_context(h5py.File(file, "r"))
            io = stack.enter_context(pynwb.NWBHDF5IO(file=stored, mode="r"))
            contents = io.read()
            written = stored["session_start_time"][()]
        start, zoned = _start(written, contents)
        yield Opened(file, contents, start, zoned)


def _start(written: Any, contents: Any) -> tuple[datetime, bool]:
    """Return when a session started, as it is written: pynwb adds the machine's own time zone."""
    try:
        start = datetime.fromisoformat(as_words([written])[0])
    except ValueError:
        start = contents.session_start_time
    zoned = start.tzinfo is not None
    return (start if zoned else start.replace(tzinfo=UTC)), zoned


def _unzoned(opened: Sequence[Opened]) -> Iterator[str]:
    """Yield a note on unknown time zones where the order of visits may depend on them."""
    unknown = [one.file.name for one in opened if not one.zoned]
    if unknown and len(unknown) < len(opened):
        yield (
            f"session_start_time of {few(unknown)} names no time zone and was taken as UTC, unlike "
            "that of the other files. Check the order of the visits."
        )


def _check_subjects(opened: Sequence[Opened], source: str) -> None:
    named = [one.contents.subject for one in opened if one.contents.subject is not None]
    subjects = sorted({str(one.subject_id) for one in named if one.subject_id is not None})
    if len(subjects) > 1:
        raise UserError(
            f"{source}: the files are of {len(subjects)} subjects, {few(subjects)}. Read one "
            "subject at a time."
        )


def _check_starts(opened: Sequence[Opened]) -> None:
    for before, after in pairwise(opened):
        if before.start == after.start:
            raise UserError(
                f"{before.file} and {after.file.name} have the same session_start_time, "
                f"{before.start}. Leave out the copy, or set the time right."
            )


def _quantity(opened: Sequence[Opened], source: str) -> tuple[str, list[str]]:
    """Return what is read of every file: the first quantity that is in all of them."""
    held = [list(quantities(one.contents)) for one in opened]
    for one, kinds in zip(opened, held, strict=True):
        if not kinds:
            raise UserError(
                f"{one.file}: found neither units with spike_times nor a RoiResponseSeries in a "
                "processing module. Add what was recorded."
            )
    common = [kind for kind in held[0] if all(kind in kinds for kinds in held)]
    if not common:
        other = next(place for place, kinds in enumerate(held) if kinds[0] != held[0][0])
        raise UserError(
            f"{source}: the files do not hold the same quantity: {opened[0].file.name} has "
            f"{' and '.join(held[0])}, {opened[other].file.name} {' and '.join(held[other])}. Use "
            "files with the same one."
        )
    better = [
        f"{kinds[0]} of {one.file.name}"
        for one, kinds in zip(opened, held, strict=True)
        if kinds[0] != common[0]
    ]
    notes = [f"{common[0]} was read, not {few(better)}: it is not in all files."] if better else []
    if len(common) > 1:
        where = "every file holds" if len(opened) > 1 else "the file holds"
        notes.append(f"{common[0]} was read, not {' or '.join(common[1:])}, which {where} too.")
    return common[0], notes


def _sessions(
    opened: Opened,
    kind: str,
    stimuli_table: str | None,
    visits_from: str | None,
    notes: list[str],
) -> Iterator[Session]:
    """Read the visits of one file, and note what is left out."""
    file, contents = opened.file, opened.contents
    trials = trials_of(file, contents, stimuli_table)
    notes += trials.notes
    units = units_of(file, kind, quantities(contents)[kind], trials)
    partly = np.isnan(units.responses).sum()
    if partly:
        notes.append(
            f"{file.name}: {partly} of {units.responses.size} responses in single trials are "
            "missing: the unit was not observed throughout the trial, or a value of it is NaN."
        )
    invalid = trials.overlaps(invalid_times(file, contents))
    if invalid.any():
        units.responses[invalid] = np.nan
        notes.append(
            f"{file.name}: {invalid.sum()} of {counted(len(invalid), 'trial')} overlap "
            "invalid_times and were left out."
        )
    if visits_from is None:
        yield Session(str(file), trials.stimuli, trials.labels, units)
        return
    visits = visits_of(file, contents, visits_from)
    inside = {name: trials.inside(intervals) for name, intervals in visits.items()}
    outside = ~np.any(list(inside.values()), axis=0)
    if outside.any():
        notes.append(
            f"{file.name}: {outside.sum()} of {counted(len(outside), 'trial')} lie in no interval "
            f"of {visits_from} and were left out."
        )
    for name, chosen in inside.items():
        if not chosen.any():
            raise UserError(f"{file}: no trial lies in visit {name} of {visits_from}.")
        yield _visit(f"{file}, visit {name}", trials, units, chosen)


def _visit(source: str, trials: Trials, units: Units, chosen: np.ndarray) -> Session:
    places = np.flatnonzero(chosen).tolist()
    return Session(
        source,
        [trials.stimuli[place] for place in places],
        None if trials.labels is None else [trials.labels[place] for place in places],
        Units(**{**vars(units), "responses": units.responses[chosen]}),
    )


def _together(
    read: Sequence[Session], stimuli: Sequence[str], columns: Sequence[Sequence[int]]
) -> jt.Float[np.ndarray, "visit stimulus trial unit"]:
    shown = [[np.flatnonzero(np.array(s.stimuli) == name) for name in stimuli] for s in read]
    most = max(len(trials) for of_visit in shown for trials in of_visit)
    activity = np.full((len(read), len(stimuli), most, len(columns[0])), np.nan)
    for visit, session in enumerate(read):
        for stimulus, trials in enumerate(shown[visit]):
            of_trials = session.units.responses[trials][:, columns[visit]]
            activity[visit, stimulus, : len(trials)] = of_trials
    return activity


def _check_together(read: Sequence[Session]) -> None:
    first, *later = read
    for session in later:
        strange = sorted(set(first.stimuli) ^ set(session.stimuli))
        if strange:
            raise UserError(
                f"{session.source}: not the stimuli of {_short(first)}: {few(strange)} shown in "
                "only one of the two. Keep the trials of stimuli that were shown at every visit."
            )
        if session.units.unit.lower() != first.units.unit.lower():
            raise UserError(
                f"{session.source}: responses are in {session.units.unit!r}, and in "
                f"{first.units.unit!r} in {_short(first)}. Write them in one unit."
            )


def _short(session: Session) -> str:
    return session.source.replace("\\", "/").rpartition("/")[2]


def _names(read: Sequence[Session]) -> tuple[list[list[str]], list[str]]:
    """Return by what name each session's units are followed; and in words, where names disagree."""
    ids = [session.units.ids for session in read]
    for column in NAMES:
        if not all(column in session.units.names for session in read):
            continue
        named = [session.units.names[column] for session in read]
        if any(missing(names).any() or len(set(names)) < len(names) for names in named):
            return ids, [
                f"units are matched by their ids: in the column {column} names are missing or "
                "stand for several units."
            ]
        pairs = [set(zip(names, own, strict=True)) for names, own in zip(named, ids, strict=True)]
        differ = _disagreements(pairs)
        return named, [] if not differ else [
            f"units are matched by the column {column}; by their ids, "
            f"{counted(differ, 'unit')} would be matched with another."
        ]
    for column in NAMES:
        without = [_short(session) for session in read if column not in session.units.names]
        if len(without) < len(read):
            return ids, [
                f"units are matched by their ids: {few(without)} has no column {column}, unlike "
                "the other files."
            ]
    return ids, []


def _disagreements(pairs: Sequence[set[tuple[str, str]]]) -> int:
    """Count names that do not have the same id in all sessions that hold them."""
    found: dict[str, set[str]] = {}
    for name, own in set().union(*pairs):
        found.setdefault(name, set()).add(own)
    return sum(len(ids) > 1 for ids in found.values())


def _check_layers(
    read: Sequence[Session], columns: Sequence[Sequence[int]], common: Sequence[str], source: str
) -> None:
    for place, name in enumerate(common):
        where = {
            session.units.layers[mine[place]]
            for session, mine in zip(read, columns, strict=True)
            if session.units.layers is not None
        }
        if len(where) > 1:
            raise UserError(
                f"{source}: unit {name} is in several layers, {few(sorted(where))}. One id has to "
                "be one unit in all files."
            )


def _labels(read: Sequence[Session]) -> dict[str, str] | None:
    """Class of each stimulus, empty where it is missing, if every file has classes."""
    found: dict[str, str] = {}
    for session in read:
        if session.labels is None:
            return None
        for stimulus, label in zip(session.stimuli, session.labels, strict=True):
            known = found.get(stimulus) or label
            if label and known != label:
                raise UserError(
                    f"{session.source}: stimulus {stimulus} has the labels {known} and {label}. "
                    "Give each stimulus one."
                )
            found[stimulus] = known
    return found
