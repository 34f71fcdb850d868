"""Tables of intervals in an NWB file: stimuli, visits and invalid times."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import jaxtyping as jt
import numpy as np

from virtuallab.errors import UserError, suggest
from virtuallab.recordings.nwb.table import cell, column, numbers
from virtuallab.recordings.text import as_text, blank_missing, first_few, is_missing
from virtuallab.text import count_noun

_STIMULUS: Final = ("stimulus", "stimulus_name", "stimulus_id", "condition")
_EDGES: Final = ("start_time", "stop_time")
_VISIT: Final = ("tags", "visit", "session", "day", "label", "name")

Intervals = jt.Float[np.ndarray, "interval 2"]  # start and stop, in seconds


@dataclass(frozen=True)
class StimulusTrials:
    """Presentations of stimuli.

    Parameters
    ----------
    start, stop : array, (trial,)
        In seconds.
    stimuli : list of str
        Of each trial.
    labels : list of str, optional
        Class of each trial's stimulus; empty if it is missing.
    """

    start: jt.Float[np.ndarray, " trial"]
    stop: jt.Float[np.ndarray, " trial"]
    stimuli: list[str]
    labels: list[str] | None

    def part(self, trials: jt.Int[np.ndarray, " part"]) -> StimulusTrials:
        """Return some of the trials."""
        places = trials.tolist()
        labels = None if self.labels is None else [self.labels[place] for place in places]
        stimuli = [self.stimuli[place] for place in places]
        return StimulusTrials(self.start[trials], self.stop[trials], stimuli, labels)

    def inside(self, intervals: Intervals) -> jt.Bool[np.ndarray, " trial"]:
        """Return which trials lie entirely in one of the intervals, (trial,).

        Intervals that touch or overlap count as one.
        """
        joined = _joined(intervals)
        place = np.searchsorted(joined[:, 0], self.start, side="right") - 1
        inside = np.zeros(len(self.start), dtype=bool)
        some = place >= 0
        inside[some] = self.stop[some] <= joined[place[some], 1]
        return inside

    def overlaps(self, intervals: Intervals) -> jt.Bool[np.ndarray, " trial"]:
        """Return which trials overlap one of the intervals, (trial,)."""
        starts, stops = intervals.T[:, None]
        found: np.ndarray = ((self.start[:, None] < stops) & (self.stop[:, None] > starts)).any(1)
        return found


def _joined(intervals: Intervals) -> jt.Float[np.ndarray, "joined 2"]:
    joined: list[list[float]] = []
    for start, stop in sorted(intervals.tolist()):
        if joined and start <= joined[-1][1]:
            joined[-1][1] = max(joined[-1][1], stop)
        else:
            joined.append([start, stop])
    return np.array(joined, dtype=np.float64).reshape(-1, 2)


def read_trials(file: Path, contents: Any, name: str | None, notes: list[str]) -> StimulusTrials:
    """Return the presentations of stimuli.

    Parameters
    ----------
    file : Path
    contents : pynwb.NWBFile
    name : str, optional
        Of the table of intervals; by default ``trials``.
    notes : list of str
        Notes on presentations that are left out are appended.

    Raises
    ------
    UserError
        If there is no such table, or it lacks stimuli or times.
    """
    title = name or "trials"
    table = _table(file, contents, title, "--stimuli-table")
    shown = next((each for each in _STIMULUS if each in table.colnames), None)
    if shown is None:
        raise UserError(
            f"{file}: the {title} do not say what was shown; found the columns "
            f"{', '.join(table.colnames)}. Add a column {' or '.join(_STIMULUS)}."
            f"{_others(contents, title)}"
        )
    start, stop = (numbers(file, table, edge) for edge in _EDGES)
    stimuli = as_text(column(file, table, shown))
    labels = None
    if "label" in table.colnames:
        labels = blank_missing(as_text(column(file, table, "label")))
    unnamed = is_missing(stimuli)
    timeless = ~unnamed & ~(np.isfinite(start) & np.isfinite(stop))
    notes += [
        f"{file.name}: {count_noun(int(wrong.sum()), 'presentation')} of {len(wrong)} {without} "
        f"{'was' if wrong.sum() == 1 else 'were'} left out."
        for wrong, without in (
            (unnamed, "without a stimulus"),
            (timeless, "without a start or stop time"),
        )
        if wrong.any()
    ]
    kept = ~(unnamed | timeless)
    if not kept.any():
        raise UserError(f"{file}: none of the {title} has a {shown}, a start and a stop time.")
    wrong = np.flatnonzero(kept & ~(stop > start))
    if len(wrong):
        raise UserError(
            f"{file}: trial {first_few(wrong.tolist())} (counted from 0) does not stop after it "
            "starts. Set its stop_time right, or leave it out."
        )
    return StimulusTrials(start, stop, stimuli, labels).part(np.flatnonzero(kept))


def visit_intervals(file: Path, contents: Any, name: str) -> dict[str, Intervals]:
    """Return the intervals of each visit in one file, in the order of time.

    Rows with the same tags, or the same name of a visit, are one visit; without both, each row is a
    visit.

    Parameters
    ----------
    file : Path
    contents : pynwb.NWBFile
    name : str
        Of the table of intervals.

    Raises
    ------
    UserError
        If there is no such table, or its visits overlap or alternate.
    """
    table = _table(file, contents, name, "--visits-from")
    intervals = _intervals(file, table)
    named = next((each for each in _VISIT if each in table.colnames), None)
    if named is None:
        names = as_text(range(len(table)))
    else:
        tags = [_joined_tags(cell(file, table, named, row)) for row in range(len(table))]
        names = blank_missing(tags)
    found = {
        each: intervals[[one == each for one in names]]
        for each in dict.fromkeys(names[row] for row in np.argsort(intervals[:, 0], kind="stable"))
        if each
    }
    if not found:
        raise UserError(f"{file}: no row of {name} has a value in {named}. Name the visits there.")
    for (before, earlier), (after, later) in pairwise(found.items()):
        if later.min() < earlier.max():
            raise UserError(
                f"{file}: the visits {before} and {after} of {name} overlap or alternate "
                f"({before} ends at {earlier.max():g} s, {after} starts at {later.min():g} s). "
                "Give each visit a time of its own."
            )
    return found


def _joined_tags(value: Any) -> str:
    return ", ".join(as_text(value if isinstance(value, list | tuple | np.ndarray) else [value]))


def invalid_times(file: Path, contents: Any) -> Intervals:
    """Return the intervals whose data are invalid; none if the file names none."""
    table = contents.invalid_times
    return np.empty((0, 2)) if table is None else _intervals(file, table)


def _intervals(file: Path, table: Any) -> Intervals:
    return np.stack([numbers(file, table, edge) for edge in _EDGES], axis=1)


def _tables(contents: Any) -> Mapping[str, Any]:
    """Return every table of intervals that has rows, by name."""
    found = {"trials": contents.trials, "epochs": contents.epochs, **dict(contents.intervals)}
    for module in contents.processing.values():
        found |= {
            name: each
            for name, each in module.data_interfaces.items()
            if each.neurodata_type == "TimeIntervals"
        }
    return {name: each for name, each in found.items() if each is not None and len(each)}


def _table(file: Path, contents: Any, name: str, option: str) -> Any:
    tables = _tables(contents)
    if name in tables:
        return tables[name]
    if name == "trials":
        raise UserError(
            f"{file}: there are no trials. Add them: nwb.add_trial(...).{_others(contents, name)}"
        )
    there = suggest(name, tables) if tables else "There is none at all."
    raise UserError(f"{file}: {option}: there is no table of intervals {name!r}. {there}")


def _others(contents: Any, name: str) -> str:
    others = [other for other in _tables(contents) if other != name]
    if not others:
        return ""
    return f" Or choose another table of intervals with --stimuli-table: {', '.join(others)}."
