"""Tables of intervals in an NWB file: what was shown when, which visit it was, what is invalid."""

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
from virtuallab.recordings.text import as_words, counted, few, missing

_STIMULUS: Final = ("stimulus", "stimulus_name", "stimulus_id", "condition")
_EDGES: Final = ("start_time", "stop_time")
_VISIT: Final = ("tags", "visit", "session", "day", "label", "name")

Intervals = jt.Float[np.ndarray, "interval 2"]  # start and stop, in seconds


@dataclass(frozen=True)
class Trials:
    """Presentations of stimuli in one file.

    Parameters
    ----------
    start, stop : array, (trial,)
        In seconds.
    stimuli : list of str
    labels : list of str, optional
        Class of each trial's stimulus; empty where it is missing.
    notes : tuple of str
        What was left out, in words.
    """

    start: jt.Float[np.ndarray, " trial"]
    stop: jt.Float[np.ndarray, " trial"]
    stimuli: list[str]
    labels: list[str] | None
    notes: tuple[str, ...]

    def inside(self, intervals: Intervals) -> jt.Bool[np.ndarray, " trial"]:
        """Whether each trial lies in one of the intervals from its start to its stop.

        Intervals that touch or overlap count as one.
        """
        joined = _joined(intervals)
        place = np.searchsorted(joined[:, 0], self.start, side="right") - 1
        inside = np.zeros(len(self.start), dtype=bool)
        some = place >= 0
        inside[some] = self.stop[some] <= joined[place[some], 1]
        return inside

    def overlaps(self, intervals: Intervals) -> jt.Bool[np.ndarray, " trial"]:
        """Whether each trial has any time in common with one of the intervals."""
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


def trials_of(file: Path, contents: Any, name: str | None) -> Trials:
    """Read when which stimulus was shown.

    Parameters
    ----------
    file : Path
    contents : pynwb.NWBFile
    name : str, optional
        Of the table of intervals; ``trials`` if not given.

    Raises
    ------
    UserError
        If there is no such table, or it does not say what was shown when.
    """
    table = _table(file, contents, name or "trials", "--stimuli-table")
    title = name or "trials"
    shown = next((name for name in _STIMULUS if name in table.colnames), None)
    if shown is None:
        raise UserError(
            f"{file}: the {title} do not say what was shown; found the columns "
            f"{', '.join(table.colnames)}. Add a column {' or '.join(_STIMULUS)}."
            f"{_others(contents, title)}"
        )
    start, stop = (numbers(file, table, edge) for edge in _EDGES)
    stimuli = as_words(column(file, table, shown))
    labels = as_words(column(file, table, "label")) if "label" in table.colnames else None
    unnamed = missing(stimuli)
    timeless = ~unnamed & ~(np.isfinite(start) & np.isfinite(stop))
    notes = [
        f"{file.name}: {counted(int(wrong.sum()), 'presentation')} of {len(wrong)} {without} "
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
            f"{file}: trial {few(wrong.tolist())} (counted from 0) does not stop after it starts. "
            "Set its stop_time right, or leave it out."
        )
    places = np.flatnonzero(kept).tolist()
    if labels is not None:
        none = missing(labels)
        labels = ["" if none[place] else labels[place] for place in places]
    return Trials(start[kept], stop[kept], [stimuli[p] for p in places], labels, tuple(notes))


def visits_of(file: Path, contents: Any, name: str) -> dict[str, Intervals]:
    """Read which intervals of one file are which visit, in the order of time.

    Rows with the same tags, or the same name of a visit, are one visit; where rows have neither,
    each is a visit.

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
    said = next((name for name in _VISIT if name in table.colnames), None)
    if said is None:
        names = as_words(range(len(table)))
    else:
        names = [_tagged(cell(file, table, said, row)) for row in range(len(table))]
        names = ["" if none else one for one, none in zip(names, missing(names), strict=True)]
    found = {
        each: intervals[[one == each for one in names]]
        for each in dict.fromkeys(names[row] for row in np.argsort(intervals[:, 0], kind="stable"))
        if each
    }
    if not found:
        raise UserError(f"{file}: no row of {name} has a value in {said}. Name the visits there.")
    for (before, earlier), (after, later) in pairwise(found.items()):
        if later.min() < earlier.max():
            raise UserError(
                f"{file}: the visits {before} and {after} of {name} overlap or alternate "
                f"({before} ends at {earlier.max():g} s, {after} starts at {later.min():g} s). "
                "Give each visit a time of its own."
            )
    return found


def _tagged(value: Any) -> str:
    if isinstance(value, list | tuple | np.ndarray):
        return ", ".join(as_words(value))
    return as_words([value])[0]


def invalid_times(file: Path, contents: Any) -> Intervals:
    """Read the intervals whose data are invalid; none if the file names none."""
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
