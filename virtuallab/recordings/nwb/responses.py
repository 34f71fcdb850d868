"""Responses in the trials of one NWB file: spike counts of units, fluorescence of regions."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import jaxtyping as jt
import numpy as np

from virtuallab.errors import UserError
from virtuallab.recordings.file_access import reading
from virtuallab.recordings.nwb.intervals import Trials
from virtuallab.recordings.nwb.table import KIND, cell, column, numbers
from virtuallab.recordings.text import as_words, few

SPIKES: Final = "spike_times"
QUANTITIES: Final = (SPIKES, "DfOverF", "Fluorescence", "RoiResponseSeries")
_PLACES: Final = ("layer", "location")
# Columns that name a unit, whatever its place in the table; an id is often no more than that place.
NAMES: Final = ("unit_name", "name", "roi_name", "unit_id", "cluster_id")


@dataclass(frozen=True)
class Units:
    """The units recorded in one file, and the response of each in each trial.

    Parameters
    ----------
    ids : list of str
    names : mapping from column to list of str
        Columns of the file that name units.
    layers : list of str, optional
    depth : array, (unit,), optional
    responses : array, (trial, unit)
        NaN where a unit was not recorded throughout the trial.
    unit : str
        What responses are measured in.
    """

    ids: list[str]
    names: Mapping[str, list[str]]
    layers: list[str] | None
    depth: jt.Float[np.ndarray, " unit"] | None
    responses: jt.Float[np.ndarray, "trial unit"]
    unit: str


def quantities(contents: Any) -> dict[str, Any]:
    """Return what a file holds of each quantity that can be read, in the order of preference."""
    found: dict[str, Any] = {}
    if contents.units is not None and SPIKES in contents.units.colnames:
        found[SPIKES] = contents.units
    interfaces = [
        interface
        for module in contents.processing.values()
        for interface in module.data_interfaces.values()
    ]
    for kind in QUANTITIES[1:3]:
        held = [each for each in interfaces if each.neurodata_type == kind]
        found[kind] = [series for each in held for series in each.roi_response_series.values()]
    found[QUANTITIES[3]] = [e for e in interfaces if e.neurodata_type == QUANTITIES[3]]
    return {kind: held for kind, held in found.items() if kind == SPIKES or held}


def units_of(file: Path, kind: str, held: Any, trials: Trials) -> Units:
    """Read how each unit responded in each trial.

    Parameters
    ----------
    file : Path
    kind : str
        One of ``QUANTITIES``.
    held
        What the file holds of it, see :func:`quantities`.
    trials : Trials

    Raises
    ------
    UserError
    """
    found = _spiking(file, held, trials) if kind == SPIKES else _glowing(file, held, trials)
    twice = [name for name in dict.fromkeys(found.ids) if found.ids.count(name) > 1]
    if twice:
        raise UserError(
            f"{file}: {len(twice)} ids stand for several units: {few(twice)}. Give each its own."
        )
    return found


def _spiking(file: Path, table: Any, trials: Trials) -> Units:
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
    return Units(
        ids=as_words(column(file, table, "id")),
        names=_names(file, table, range(count)),
        layers=_where_units_lie(file, table),
        depth=_depth(file, table),
        responses=rates,
        unit="spikes/s",
    )


def _names(file: Path, table: Any, rows: Iterable[int]) -> dict[str, list[str]]:
    found = {name: column(file, table, name) for name in NAMES if name in table.colnames}
    return {name: as_words(values[row] for row in rows) for name, values in found.items()}


def _where_units_lie(file: Path, table: Any) -> list[str] | None:
    for name in _PLACES:
        if name in table.colnames:
            return as_words(column(file, table, name))
    if "electrode_group" in table.colnames:
        return as_words(group.location for group in column(file, table, "electrode_group"))
    if "electrodes" in table.colnames:
        nearest = (cell(file, table, "electrodes", unit) for unit in range(len(table)))
        return as_words(e["location"].iloc[0] if len(e) else "unknown" for e in nearest)
    return None


def _depth(file: Path, table: Any) -> np.ndarray | None:
    return numbers(file, table, "depth") if "depth" in table.colnames else None


def _glowing(file: Path, series: Sequence[Any], trials: Trials) -> Units:
    ids: list[str] = []
    layers: list[str] = []
    names: list[dict[str, list[str]]] = []
    depths: list[np.ndarray | None] = []
    responses = []
    for each in series:
        # Ids are counted anew in every imaging plane.
        prefix = f"{each.name}/" if len(series) > 1 else ""
        regions = each.rois.table
        with reading(file, KIND):
            rows = np.asarray(each.rois.data[:], dtype=np.int64).tolist()
        every = column(file, regions, "id")
        ids += [prefix + one for one in as_words(every[row] for row in rows)]
        own = _names(file, regions, rows)
        names.append({name: [prefix + one for one in said] for name, said in own.items()})
        place = next((name for name in _PLACES if name in regions.colnames), None)
        if place is None:
            layers += as_words([regions.imaging_plane.location] * len(rows))
        else:
            where = column(file, regions, place)
            layers += as_words(where[row] for row in rows)
        depth = _depth(file, regions)
        depths.append(None if depth is None else depth[rows])
        responses.append(_in_trials(file, each, len(rows), trials))
    known = [depth for depth in depths if depth is not None]
    depth = np.concatenate(known) if len(known) == len(depths) else None
    shared = [name for name in NAMES if all(name in of_series for of_series in names)]
    named = {name: [one for of_series in names for one in of_series[name]] for name in shared}
    units = list(dict.fromkeys(str(each.unit).strip() for each in series))
    if len(units) > 1:
        raise UserError(
            f"{file}: the series of regions have the units {few(units)}. Write them in one unit."
        )
    return Units(ids, named, layers, depth, np.concatenate(responses, axis=1), units[0])


def _in_trials(
    file: Path, series: Any, count: int, trials: Trials
) -> jt.Float[np.ndarray, "trial unit"]:
    """Mean of the frames in each trial; NaN where one of them is missing.

    Frames beyond the first and the last are missing as well: a mean over another part of a trial
    is another response.
    """
    traces, times = _traces(file, series, count)
    first, last = np.searchsorted(times, trials.start), np.searchsorted(times, trials.stop)
    empty = np.flatnonzero(last <= first)
    if len(empty):
        raise UserError(
            f"{file}: trial {few(empty.tolist())} (counted from 0) has no frame of {series.name}, "
            f"of {times[0]:g} to {times[-1]:g} s. Leave it out, or set its times right."
        )
    windows = zip(first, last, strict=True)
    found = np.stack([traces[begin:end].mean(0) for begin, end in windows])
    frame = float(np.median(np.diff(times))) if len(times) > 1 else 0.0
    cut = (trials.start < times[0] - frame) | (trials.stop > times[-1] + frame * 1.001)
    found[cut] = np.nan
    return found


def _traces(file: Path, series: Any, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Return a series in its unit, (frame, region), and the time of each frame."""
    conversion, offset = _scale(file, series)
    with reading(file, KIND):
        stored = np.asarray(series.data[:], dtype=np.float64)
        said = None if series.timestamps is None else np.asarray(series.timestamps[:])
    # Of a single region the file may leave out the axis.
    stored = stored.reshape(len(stored), -1)
    frames = None if said is None else len(said)
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
    if said is None:
        times = series.starting_time + np.arange(len(stored)) / series.rate
    else:
        times = said.astype(np.float64)
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
