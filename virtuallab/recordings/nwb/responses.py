"""Responses in the trials of one NWB file: spike rates of units, fluorescence of regions."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import jaxtyping as jt
import numpy as np

from virtuallab.errors import UserError
from virtuallab.recordings.file_access import reading_file
from virtuallab.recordings.nwb.intervals import StimulusTrials
from virtuallab.recordings.nwb.table import KIND, cell, column, numbers
from virtuallab.recordings.text import as_text, first_few

SPIKES: Final = "spike_times"
_ROI_SERIES: Final = "RoiResponseSeries"
_PLACES: Final = ("layer", "location")
# Columns with names of units; an id is often only the index in the table.
NAMES: Final = ("unit_name", "name", "roi_name", "unit_id", "cluster_id")


@dataclass(frozen=True)
class RecordedUnits:
    """The units recorded in one file, and their responses.

    Parameters
    ----------
    ids : list of str
    names : mapping from column to list of str
        Columns of the file that name units.
    layers : list of str, optional
    depth : array, (unit,), optional
    responses : array, (trial, unit)
        NaN if a unit was not recorded throughout the trial.
    unit : str
        Unit of measurement of the responses.
    """

    ids: list[str]
    names: Mapping[str, list[str]]
    layers: list[str] | None
    depth: jt.Float[np.ndarray, " unit"] | None
    responses: jt.Float[np.ndarray, "trial unit"]
    unit: str


def quantities(contents: Any) -> dict[str, Any]:
    """Return the tables or series of each readable quantity of a file, in order of preference."""
    found: dict[str, Any] = {}
    if contents.units is not None and SPIKES in contents.units.colnames:
        found[SPIKES] = contents.units
    held: dict[str, list[Any]] = {"DfOverF": [], "Fluorescence": [], _ROI_SERIES: []}
    for module in contents.processing.values():
        for interface in module.data_interfaces.values():
            kind = interface.neurodata_type
            if kind in held:
                is_series = kind == _ROI_SERIES
                held[kind] += [interface] if is_series else interface.roi_response_series.values()
    return found | {kind: series for kind, series in held.items() if series}


def read_units(file: Path, kind: str, held: Any, trials: StimulusTrials) -> RecordedUnits:
    """Return the response of each unit in each trial.

    Parameters
    ----------
    file : Path
    kind : str
        A key of :func:`quantities`.
    held
        Its value.
    trials : StimulusTrials

    Raises
    ------
    UserError
        If ids are not unique, or data, times and regions do not fit together.
    """
    read = _spike_rates if kind == SPIKES else _fluorescence
    found = read(file, held, trials)
    twice = [name for name in dict.fromkeys(found.ids) if found.ids.count(name) > 1]
    if twice:
        raise UserError(
            f"{file}: {len(twice)} ids stand for several units: {first_few(twice)}. Give each its "
            "own."
        )
    return found


def _spike_rates(file: Path, table: Any, trials: StimulusTrials) -> RecordedUnits:
    count = len(table)
    duration = trials.stop - trials.start
    rates = np.empty((len(trials.start), count))
    observed = "obs_intervals" in table.colnames
    for unit in range(count):
        spikes = np.sort(np.asarray(cell(file, table, SPIKES, unit), dtype=np.float64))
        inside = np.searchsorted(spikes, trials.stop) - np.searchsorted(spikes, trials.start)
        rates[:, unit] = inside / duration
        if observed:
            intervals = np.asarray(cell(file, table, "obs_intervals", unit), dtype=np.float64)
            rates[~trials.inside(intervals.reshape(-1, 2)), unit] = np.nan
    return RecordedUnits(
        ids=as_text(column(file, table, "id")),
        names=_names(file, table, range(count)),
        layers=_unit_locations(file, table),
        depth=_depth(file, table),
        responses=rates,
        unit="spikes/s",
    )


def _names(file: Path, table: Any, rows: Iterable[int]) -> dict[str, list[str]]:
    found = {name: column(file, table, name) for name in NAMES if name in table.colnames}
    return {name: as_text(values[row] for row in rows) for name, values in found.items()}


def _unit_locations(file: Path, table: Any) -> list[str] | None:
    for name in _PLACES:
        if name in table.colnames:
            return as_text(column(file, table, name))
    if "electrode_group" in table.colnames:
        return as_text(group.location for group in column(file, table, "electrode_group"))
    if "electrodes" in table.colnames:
        nearest = (cell(file, table, "electrodes", unit) for unit in range(len(table)))
        return as_text(e["location"].iloc[0] if len(e) else "unknown" for e in nearest)
    return None


def _depth(file: Path, table: Any) -> np.ndarray | None:
    return numbers(file, table, "depth") if "depth" in table.colnames else None


def _fluorescence(file: Path, series: Sequence[Any], trials: StimulusTrials) -> RecordedUnits:
    # Ids are unique within an imaging plane only.
    parts = [
        _of_series(file, each, f"{each.name}/" if len(series) > 1 else "", trials)
        for each in series
    ]
    units = list(dict.fromkeys(part.unit for part in parts))
    if len(units) > 1:
        raise UserError(
            f"{file}: the series of regions have the units {first_few(units)}. Write them in one "
            "unit."
        )
    shared = [name for name in NAMES if all(name in part.names for part in parts)]
    depths = [part.depth for part in parts if part.depth is not None]
    return RecordedUnits(
        ids=[one for part in parts for one in part.ids],
        names={name: [one for part in parts for one in part.names[name]] for name in shared},
        layers=[one for part in parts for one in part.layers or ()],
        depth=np.concatenate(depths) if len(depths) == len(parts) else None,
        responses=np.concatenate([part.responses for part in parts], axis=1),
        unit=units[0],
    )


def _of_series(file: Path, series: Any, prefix: str, trials: StimulusTrials) -> RecordedUnits:
    regions = series.rois.table
    with reading_file(file, KIND):
        rows = np.asarray(series.rois.data[:], dtype=np.int64).tolist()
    every = column(file, regions, "id")
    names = _names(file, regions, rows)
    place = next((name for name in _PLACES if name in regions.colnames), None)
    if place is None:
        layers = as_text([regions.imaging_plane.location] * len(rows))
    else:
        where = column(file, regions, place)
        layers = as_text(where[row] for row in rows)
    depth = _depth(file, regions)
    return RecordedUnits(
        ids=[prefix + one for one in as_text(every[row] for row in rows)],
        names={name: [prefix + one for one in each] for name, each in names.items()},
        layers=layers,
        depth=None if depth is None else depth[rows],
        responses=_mean_in_trials(file, series, len(rows), trials),
        unit=str(series.unit).strip(),
    )


def _mean_in_trials(
    file: Path, series: Any, count: int, trials: StimulusTrials
) -> jt.Float[np.ndarray, "trial unit"]:
    """Return the mean of the frames in each trial; NaN if one of them is missing.

    Frames before the first and after the last are missing as well: a mean over a part of a trial is
    a different response.
    """
    traces, times = _traces(file, series, count)
    first, last = np.searchsorted(times, trials.start), np.searchsorted(times, trials.stop)
    empty = np.flatnonzero(last <= first)
    if len(empty):
        raise UserError(
            f"{file}: trial {first_few(empty.tolist())} (counted from 0) has no frame of "
            f"{series.name}, of {times[0]:g} to {times[-1]:g} s. Leave it out, or set its times "
            "right."
        )
    windows = zip(first, last, strict=True)
    found = np.stack([traces[begin:end].mean(0) for begin, end in windows])
    frame = float(np.median(np.diff(times))) if len(times) > 1 else 0.0
    cut = (trials.start < times[0] - frame) | (trials.stop > times[-1] + frame * 1.001)
    found[cut] = np.nan
    return found


def _traces(file: Path, series: Any, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Return a series in its unit, (frame, region), and the time of each frame in seconds."""
    conversion, offset = _scale(file, series)
    with reading_file(file, KIND):
        stored = np.asarray(series.data[:], dtype=np.float64)
        timestamps = None if series.timestamps is None else np.asarray(series.timestamps[:])
    # The axis may be missing for a single region.
    stored = stored.reshape(len(stored), -1)
    frames = None if timestamps is None else len(timestamps)
    if stored.shape[1] != count or frames not in (None, len(stored)):
        where = f"{file}: the data of {series.name} have the shape {stored.shape}"
        if stored.shape[0] == count and frames in (None, stored.shape[1]):
            raise UserError(
                f"{where}: their axes are exchanged, region by time; NWB has time first. Write "
                "them transposed."
            )
        of_time = "" if frames is None else f" and {frames} timestamps"
        raise UserError(
            f"{where}, expected time by region, for {count} regions{of_time}. Write the data, "
            "regions and timestamps that belong together."
        )
    if timestamps is None:
        times = series.starting_time + np.arange(len(stored)) / series.rate
    else:
        times = timestamps.astype(np.float64)
    wrong = np.flatnonzero(~(np.diff(times) > 0))
    if len(wrong):
        raise UserError(
            f"{file}: the timestamps of {series.name} do not ascend at frame {wrong[0] + 1} "
            "(counted from 0). Set them right."
        )
    return stored * conversion + offset, times


def _scale(file: Path, series: Any) -> tuple[float, float]:
    """Return the factor and the offset by which stored numbers become values in the unit."""
    conversion, offset = float(series.conversion), float(series.offset)
    if not math.isfinite(conversion) or conversion == 0:
        raise UserError(
            f"{file}: the conversion of {series.name} is {conversion:g}; it is the factor from "
            "stored numbers to its unit. Write a finite one other than 0."
        )
    if not math.isfinite(offset):
        raise UserError(
            f"{file}: the offset of {series.name} is {offset:g}; it is added to every value. Write "
            "a finite one, or leave it out."
        )
    return conversion, offset
