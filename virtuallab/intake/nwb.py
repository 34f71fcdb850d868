"""Read files of Neurodata Without Borders, one for each visit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import numpy as np
import xarray as xr
from jaxtyping import Float

from virtuallab.errors import UserError
from virtuallab.intake.words import as_words, few
from virtuallab.vocabulary import ACTIVITY, LAYER, STIMULUS, UNIT, VISIT

_STIMULUS: Final = ("stimulus", "stimulus_name", "stimulus_id", "condition")
_EDGES: Final = ("start_time", "stop_time")
_FLUORESCENCE: Final = ("DfOverF", "Fluorescence")  # the first that there is


@dataclass(frozen=True)
class Units:
    """Who was recorded in one session, and how each responded in each trial.

    Parameters
    ----------
    names : list of str
    layers : list of str, optional
    depth : array, (unit,), optional
    responses : array, (trial, unit)
    """

    names: list[str]
    layers: list[str] | None
    depth: Float[np.ndarray, " unit"] | None
    responses: Float[np.ndarray, "trial unit"]


@dataclass(frozen=True)
class Session:
    """What is read of one file.

    Parameters
    ----------
    file : Path
    start : datetime
    subject : str, optional
    stimuli : list of str
        Of each trial.
    labels : list of str, optional
        Class of each trial's stimulus.
    units : Units
    """

    file: Path
    start: datetime
    subject: str | None
    stimuli: list[str]
    labels: list[str] | None
    units: Units


@dataclass(frozen=True)
class Trials:
    """Trials of one session.

    Parameters
    ----------
    start, stop : array, (trial,)
        In seconds.
    stimuli : list of str
    labels : list of str, optional
    """

    start: Float[np.ndarray, " trial"]
    stop: Float[np.ndarray, " trial"]
    stimuli: list[str]
    labels: list[str] | None


def sessions(files: Sequence[Path], source: str) -> xr.Dataset:
    """Read one file for each visit, in the order of their session start times.

    Of units with spike times the response is their rate in a trial, from its start up to its stop,
    in spikes per second; without such units, it is a region's mean fluorescence in that time. Units
    that are not in all files are dropped, and counted in the attribute ``dropped_units``.

    Returns
    -------
    xr.Dataset
        ``activity`` (visit, stimulus, trial, unit), NaN where a stimulus was shown less often than
        another.

    Raises
    ------
    UserError
        If a file cannot be read, or they do not belong together.
    """
    read = sorted((_session(file) for file in files), key=lambda session: session.start)
    _check_together(read, source)
    first, *later = read
    everyone = list(dict.fromkeys(name for session in read for name in session.units.names))
    common = [n for n in first.units.names if all(n in other.units.names for other in later)]
    if not common:
        raise UserError(
            f"{source}: no unit is in all {len(read)} files; found {len(everyone)} ids. Give a "
            "unit that is followed from visit to visit the same id in each file."
        )
    stimuli = list(dict.fromkeys(first.stimuli))
    variables: dict[str, Any] = {
        ACTIVITY: ((VISIT, STIMULUS, "trial", UNIT), _together(read, stimuli, common)),
        UNIT: (UNIT, np.array(common, dtype=object)),
        STIMULUS: (STIMULUS, np.array(stimuli, dtype=object)),
    }
    mine = [first.units.names.index(name) for name in common]
    if first.units.layers is not None:
        _check_layers(read, common, source)
        layers = [first.units.layers[place] for place in mine]
        variables[LAYER] = (UNIT, np.array(layers, dtype=object))
    if first.units.depth is not None:
        variables["depth"] = (UNIT, first.units.depth[mine])
    labels = _labels(read, source)
    if labels is not None:
        variables["label"] = (STIMULUS, np.array([labels[name] for name in stimuli], dtype=object))
    return xr.Dataset(variables, attrs={"dropped_units": len(everyone) - len(common)})


def _together(
    read: Sequence[Session], stimuli: Sequence[str], common: Sequence[str]
) -> Float[np.ndarray, "visit stimulus trial unit"]:
    shown = [[np.flatnonzero(np.array(s.stimuli) == name) for name in stimuli] for s in read]
    most = max(len(trials) for of_visit in shown for trials in of_visit)
    activity = np.full((len(read), len(stimuli), most, len(common)), np.nan)
    for visit, session in enumerate(read):
        columns = [session.units.names.index(name) for name in common]
        for stimulus, trials in enumerate(shown[visit]):
            activity[visit, stimulus, : len(trials)] = session.units.responses[trials][:, columns]
    return activity


def _check_together(read: Sequence[Session], source: str) -> None:
    subjects = sorted({session.subject for session in read if session.subject is not None})
    if len(subjects) > 1:
        raise UserError(
            f"{source}: the files are of {len(subjects)} subjects, {few(subjects)}. Read one "
            "subject at a time."
        )
    for before, after in pairwise(read):
        if before.start == after.start:
            raise UserError(
                f"{before.file} and {after.file.name} have the same session_start_time, "
                f"{before.start}. Leave out the copy, or set the time right."
            )
    first, *later = read
    for session in later:
        strange = sorted(set(first.stimuli) ^ set(session.stimuli))
        if strange:
            raise UserError(
                f"{session.file}: not the stimuli of {first.file.name}: {few(strange)} shown in "
                "only one of the two. Keep the trials of stimuli that were shown at every visit."
            )


def _check_layers(read: Sequence[Session], common: Sequence[str], source: str) -> None:
    found = [
        dict(zip(session.units.names, session.units.layers, strict=True))
        for session in read
        if session.units.layers is not None
    ]
    for name in common:
        where = sorted({of_session[name] for of_session in found})
        if len(where) > 1:
            raise UserError(
                f"{source}: unit {name} is in several layers, {few(where)}. One id has to be one "
                "unit in all files."
            )


def _labels(read: Sequence[Session], source: str) -> dict[str, str] | None:
    """Class of each stimulus, if every file has classes."""
    found: dict[str, str] = {}
    for session in read:
        if session.labels is None:
            return None
        for stimulus, label in zip(session.stimuli, session.labels, strict=True):
            if found.setdefault(stimulus, label) != label:
                raise UserError(
                    f"{source}: stimulus {stimulus} has the labels {found[stimulus]} and {label} "
                    f"({session.file.name}). Give each stimulus one."
                )
    return found


def _session(file: Path) -> Session:
    try:
        from pynwb import NWBHDF5IO
    except ImportError:
        raise UserError(
            f"{file}: NWB files are read with pynwb, which is not installed: "
            "pip install virtuallab[nwb]."
        ) from None
    try:
        with NWBHDF5IO(str(file), "r") as io:
            return _of_contents(file, io.read())
    except (UserError, MemoryError):
        raise
    except Exception as error:  # what is raised depends on where a file is damaged
        said = str(error).strip().splitlines()
        raise UserError(
            f"{file}: cannot be read as an NWB file; it is damaged, or something else "
            f"({said[0] if said else type(error).__name__}). Copy or write it again."
        ) from None


def _of_contents(file: Path, contents: Any) -> Session:
    trials = _trials(file, contents.trials)
    units = contents.units
    if units is not None and "spike_times" in units.colnames:
        found = _spiking(units, trials)
    else:
        series = _fluorescence(contents)
        if not series:
            raise UserError(
                f"{file}: found neither units with spike_times nor a RoiResponseSeries in a "
                "processing module. Add what was recorded."
            )
        found = _glowing(file, series, trials)
    if len(set(found.names)) < len(found.names):
        twice = [name for name in dict.fromkeys(found.names) if found.names.count(name) > 1]
        raise UserError(
            f"{file}: {len(twice)} ids stand for several units: {few(twice)}. Give each its own."
        )
    subject = None if contents.subject is None else contents.subject.subject_id
    start = contents.session_start_time
    return Session(file, start, subject, trials.stimuli, trials.labels, found)


def _trials(file: Path, table: Any) -> Trials:
    if table is None or not len(table):
        raise UserError(f"{file}: there are no trials. Add them: nwb.add_trial(...).")
    name = next((name for name in _STIMULUS if name in table.colnames), None)
    if name is None:
        raise UserError(
            f"{file}: the trials do not say what was shown; found the columns "
            f"{', '.join(table.colnames)}. Add a column {' or '.join(_STIMULUS)}."
        )
    start, stop = (np.asarray(table[edge][:], dtype=np.float64) for edge in _EDGES)
    wrong = np.flatnonzero(~(stop > start))
    if len(wrong):
        raise UserError(
            f"{file}: trial {few(wrong.tolist())} (counted from 0) does not stop after it starts. "
            "Set its stop_time right, or leave it out."
        )
    labels = as_words(table["label"][:]) if "label" in table.colnames else None
    return Trials(start, stop, as_words(table[name][:]), labels)


def _spiking(table: Any, trials: Trials) -> Units:
    count = len(table)
    rates = np.empty((len(trials.start), count))
    for unit in range(count):
        spikes = np.sort(np.asarray(table["spike_times"][unit], dtype=np.float64))
        inside = np.searchsorted(spikes, trials.stop) - np.searchsorted(spikes, trials.start)
        rates[:, unit] = inside / (trials.stop - trials.start)
    return Units(as_words(table.id[:]), _where_units_lie(table), _depth(table), rates)


def _where_units_lie(table: Any) -> list[str] | None:
    for column in ("layer", "location"):
        if column in table.colnames:
            return as_words(table[column][:])
    if "electrode_group" in table.colnames:
        return as_words(group.location for group in table["electrode_group"][:])
    if "electrodes" in table.colnames:
        nearest = (table["electrodes"][unit] for unit in range(len(table)))
        return as_words(electrodes["location"].iloc[0] for electrodes in nearest)
    return None


def _depth(table: Any) -> np.ndarray | None:
    if "depth" not in table.colnames:
        return None
    return np.asarray(table["depth"][:], dtype=np.float64)


def _fluorescence(contents: Any) -> list[Any]:
    """Return the series of regions, of the kind of which there are any first."""
    interfaces = [
        interface
        for module in contents.processing.values()
        for interface in module.data_interfaces.values()
    ]
    for kind in _FLUORESCENCE:
        held = [i for i in interfaces if i.neurodata_type == kind]
        series = [each for i in held for each in i.roi_response_series.values()]
        if series:
            return series
    return [each for each in interfaces if each.neurodata_type == "RoiResponseSeries"]


def _glowing(file: Path, series: Sequence[Any], trials: Trials) -> Units:
    names: list[str] = []
    layers: list[str] = []
    depths: list[np.ndarray | None] = []
    responses = []
    for each in series:
        regions, rows = each.rois.table, np.asarray(each.rois.data[:], dtype=np.int64)
        ids = as_words(np.asarray(regions.id[:])[rows])
        # Ids are counted anew in every imaging plane.
        names += [f"{each.name}/{one}" for one in ids] if len(series) > 1 else ids
        column = next((name for name in ("layer", "location") if name in regions.colnames), None)
        if column is None:
            layers += as_words([regions.imaging_plane.location] * len(rows))
        else:
            layers += as_words(np.asarray(regions[column][:], dtype=object)[rows])
        depth = _depth(regions)
        depths.append(None if depth is None else depth[rows])
        responses.append(_in_trials(file, each, trials))
    known = [depth for depth in depths if depth is not None]
    depth = np.concatenate(known) if len(known) == len(depths) else None
    return Units(names, layers, depth, np.concatenate(responses, axis=1))


def _in_trials(file: Path, series: Any, trials: Trials) -> Float[np.ndarray, "trial unit"]:
    traces = np.asarray(series.data[:], dtype=np.float64)
    traces = traces.reshape(len(traces), -1)  # of a single region the file may leave out the axis
    if series.timestamps is not None:
        times = np.asarray(series.timestamps[:], dtype=np.float64)
    else:
        times = series.starting_time + np.arange(len(traces)) / series.rate
    first, last = np.searchsorted(times, trials.start), np.searchsorted(times, trials.stop)
    empty = np.flatnonzero(last <= first)
    if len(empty):
        raise UserError(
            f"{file}: trial {few(empty.tolist())} (counted from 0) has no frame of {series.name}, "
            f"of {times[0]:g} to {times[-1]:g} s. Leave it out, or set its times right."
        )
    windows = zip(first, last, strict=True)
    return np.stack([traces[begin:end].mean(0) for begin, end in windows])
