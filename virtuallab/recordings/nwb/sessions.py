"""Visits of a recording in NWB files: one file for each, or one file with several."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import jaxtyping as jt
import numpy as np
import xarray as xr

from virtuallab.errors import UserError
from virtuallab.recordings.nwb.intervals import (
    StimulusTrials,
    invalid_times,
    read_trials,
    visit_intervals,
)
from virtuallab.recordings.nwb.responses import NAMES, RecordedUnits, quantities, read_units
from virtuallab.recordings.nwb.session_file import SessionFile, open_sessions, time_zone_note
from virtuallab.recordings.text import first_few, is_missing
from virtuallab.text import count_noun
from virtuallab.vocabulary import ACTIVITY, LAYER, STIMULUS, UNIT, VISIT


@dataclass(frozen=True)
class RecordedVisit:
    """One visit of a recording.

    Parameters
    ----------
    source : str
        The file, and the visit in it if there are several.
    trials : StimulusTrials
    units : RecordedUnits
    """

    source: str
    trials: StimulusTrials
    units: RecordedUnits

    @property
    def short(self) -> str:
        """The source without its folder."""
        return self.source.replace("\\", "/").rpartition("/")[2]


def read_sessions(
    files: Sequence[Path],
    source: str,
    *,
    stimuli_table: str | None = None,
    visits_from: str | None = None,
) -> tuple[xr.Dataset, list[str]]:
    """Return the responses in NWB files, with visits in the order of their start times.

    The response of a unit with spike times is its rate in a trial, from start up to stop, in spikes
    per second; without such units, it is a region's mean fluorescence in that time. Units that are
    not in all files are dropped, and counted in the attribute ``dropped_units``. A response is
    missing in trials that are not entirely within the unit's ``obs_intervals``, or that overlap the
    file's ``invalid_times``.

    Parameters
    ----------
    files : sequence of Path
    source : str
        Name of all of them in messages.
    stimuli_table : str, optional
        Table of intervals that gives the stimulus of each trial; by default ``trials``.
    visits_from : str, optional
        Table of intervals whose rows are visits; by default each file is one visit.

    Returns
    -------
    dataset : xr.Dataset
        ``activity`` (visit, stimulus, trial, unit), NaN if a response is missing, or for trials
        beyond the number of presentations of a stimulus.
    notes : list of str
        Notes on data that were left out or matched.

    Raises
    ------
    UserError
        If a file cannot be read, or they do not belong together.
    """
    with open_sessions(files, source) as opened:
        notes = [*time_zone_note(opened)]
        kind = _common_quantity(opened, source, notes)
        visits = [
            visit
            for one in opened
            for visit in _read_visits(one, kind, stimuli_table, visits_from, notes)
        ]
    _check_comparable(visits)
    names = _unit_names(visits, notes)
    first, *later = names
    everyone = list(dict.fromkeys(name for of_visit in names for name in of_visit))
    common = [name for name in first if all(name in other for other in later)]
    if not common:
        raise UserError(
            f"{source}: no unit is in all {len(visits)} files; found {len(everyone)} ids. Give a "
            "unit that is followed from visit to visit the same id in each file."
        )
    stimuli = list(dict.fromkeys(visits[0].trials.stimuli))
    columns = [[of_visit.index(name) for name in common] for of_visit in names]
    units = visits[0].units
    dims = (VISIT, STIMULUS, "trial", UNIT)
    variables: dict[str, Any] = {
        ACTIVITY: (dims, _stack_responses(visits, stimuli, columns), {"units": units.unit}),
        UNIT: (UNIT, np.array(common, dtype=object)),
        STIMULUS: (STIMULUS, np.array(stimuli, dtype=object)),
    }
    if units.layers is not None:
        _check_layers(visits, columns, common, source)
        layers = [units.layers[place] for place in columns[0]]
        variables[LAYER] = (UNIT, np.array(layers, dtype=object))
    if units.depth is not None:
        variables["depth"] = (UNIT, units.depth[columns[0]])
    labels = _labels(visits)
    if labels is not None:
        variables["label"] = (STIMULUS, np.array([labels[name] for name in stimuli], dtype=object))
    dropped = len(everyone) - len(common)
    return xr.Dataset(variables, attrs={"dropped_units": dropped}), notes


def _common_quantity(opened: Sequence[SessionFile], source: str, notes: list[str]) -> str:
    """Return the preferred quantity among those that are in all files."""
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
    if better:
        notes.append(f"{common[0]} was read, not {first_few(better)}: it is not in all files.")
    if len(common) > 1:
        where = "every file holds" if len(opened) > 1 else "the file holds"
        notes.append(f"{common[0]} was read, not {' or '.join(common[1:])}, which {where} too.")
    return common[0]


def _read_visits(
    opened: SessionFile,
    kind: str,
    stimuli_table: str | None,
    visits_from: str | None,
    notes: list[str],
) -> Iterator[RecordedVisit]:
    """Yield the visits of one file, and append notes on trials that are left out."""
    file, contents = opened.file, opened.contents
    trials = read_trials(file, contents, stimuli_table, notes)
    units = read_units(file, kind, quantities(contents)[kind], trials)
    partly = np.isnan(units.responses).sum()
    if partly:
        notes.append(
            f"{file.name}: {partly} of {units.responses.size} responses in single trials are "
            "missing: the unit was not observed throughout the trial, or a value of it is NaN."
        )
    invalid = trials.overlaps(invalid_times(file, contents))
    of_all = f"of {count_noun(len(invalid), 'trial')}"
    if invalid.any():
        units.responses[invalid] = np.nan
        notes.append(
            f"{file.name}: {invalid.sum()} {of_all} overlap invalid_times and were left out."
        )
    if visits_from is None:
        yield RecordedVisit(str(file), trials, units)
        return
    visits = visit_intervals(file, contents, visits_from)
    inside = {name: trials.inside(intervals) for name, intervals in visits.items()}
    outside = ~np.any(list(inside.values()), axis=0)
    if outside.any():
        notes.append(
            f"{file.name}: {outside.sum()} {of_all} lie in no interval of {visits_from} and were "
            "left out."
        )
    for name, chosen in inside.items():
        if not chosen.any():
            raise UserError(f"{file}: no trial lies in visit {name} of {visits_from}.")
        own = replace(units, responses=units.responses[chosen])
        yield RecordedVisit(f"{file}, visit {name}", trials.part(np.flatnonzero(chosen)), own)


def _stack_responses(
    visits: Sequence[RecordedVisit], stimuli: Sequence[str], columns: Sequence[Sequence[int]]
) -> jt.Float[np.ndarray, "visit stimulus trial unit"]:
    shown = [
        [np.flatnonzero(np.array(visit.trials.stimuli) == name) for name in stimuli]
        for visit in visits
    ]
    most = max(len(trials) for of_visit in shown for trials in of_visit)
    activity = np.full((len(visits), len(stimuli), most, len(columns[0])), np.nan)
    for place, visit in enumerate(visits):
        for stimulus, trials in enumerate(shown[place]):
            of_trials = visit.units.responses[trials][:, columns[place]]
            activity[place, stimulus, : len(trials)] = of_trials
    return activity


def _check_comparable(visits: Sequence[RecordedVisit]) -> None:
    first, *later = visits
    for visit in later:
        strange = sorted(set(first.trials.stimuli) ^ set(visit.trials.stimuli))
        if strange:
            raise UserError(
                f"{visit.source}: not the stimuli of {first.short}: {first_few(strange)} shown in "
                "only one of the two. Keep the trials of stimuli that were shown at every visit."
            )
        if visit.units.unit.lower() != first.units.unit.lower():
            raise UserError(
                f"{visit.source}: responses are in {visit.units.unit!r}, and in "
                f"{first.units.unit!r} in {first.short}. Write them in one unit."
            )


def _unit_names(visits: Sequence[RecordedVisit], notes: list[str]) -> list[list[str]]:
    """Return the names by which each visit's units are matched; note where names disagree."""
    ids = [visit.units.ids for visit in visits]
    by_ids = "units are matched by their ids:"
    for column in NAMES:
        if not all(column in visit.units.names for visit in visits):
            continue
        named = [visit.units.names[column] for visit in visits]
        if any(is_missing(names).any() or len(set(names)) < len(names) for names in named):
            notes.append(
                f"{by_ids} in the column {column} names are missing or stand for several units."
            )
            return ids
        ids_of: dict[str, set[str]] = {}
        for names, own in zip(named, ids, strict=True):
            for name, each in zip(names, own, strict=True):
                ids_of.setdefault(name, set()).add(each)
        differ = sum(len(found) > 1 for found in ids_of.values())
        if differ:
            notes.append(
                f"units are matched by the column {column}; by their ids, "
                f"{count_noun(differ, 'unit')} would be matched with another."
            )
        return named
    for column in NAMES:
        without = [visit.short for visit in visits if column not in visit.units.names]
        if len(without) < len(visits):
            notes.append(
                f"{by_ids} {first_few(without)} has no column {column}, unlike the other files."
            )
            break
    return ids


def _check_layers(
    visits: Sequence[RecordedVisit],
    columns: Sequence[Sequence[int]],
    common: Sequence[str],
    source: str,
) -> None:
    for place, name in enumerate(common):
        where = {
            visit.units.layers[mine[place]]
            for visit, mine in zip(visits, columns, strict=True)
            if visit.units.layers is not None
        }
        if len(where) > 1:
            raise UserError(
                f"{source}: unit {name} is in several layers, {first_few(sorted(where))}. One id "
                "has to be one unit in all files."
            )


def _labels(visits: Sequence[RecordedVisit]) -> dict[str, str] | None:
    """Return the class of each stimulus, empty where missing; None if a file has no classes."""
    found: dict[str, str] = {}
    for visit in visits:
        if visit.trials.labels is None:
            return None
        for stimulus, label in zip(visit.trials.stimuli, visit.trials.labels, strict=True):
            known = found.get(stimulus) or label
            if label and known != label:
                raise UserError(
                    f"{visit.source}: stimulus {stimulus} has the labels {known} and {label}. "
                    "Give each stimulus one."
                )
            found[stimulus] = known
    return found
