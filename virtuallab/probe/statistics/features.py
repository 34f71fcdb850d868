"""From one subject's recording to its features: statistics, scale-free changes, flags."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import cache

import numpy as np
import xarray as xr

from virtuallab.probe.statistics import trajectory as changes
from virtuallab.probe.statistics.inner_products import PerVisit, kept_between
from virtuallab.probe.statistics.published import (
    FUNCTIONS,
    OBSERVABLE_OF,
    STATISTICS,
    over_images,
    summaries,
    summaries_of_observed,
    units_of,
)
from virtuallab.vocabulary import (
    ACTIVITY,
    ACTIVITY_CHANGE,
    CHANGE_NAME,
    DEAD,
    EXPLODED,
    FLAGS,
    LAYER,
    LIVE,
    OBSERVABLE,
    OBSERVABLES,
    STATISTIC,
    SUBJECT,
    VISIT,
    WEIGHTS,
    describe,
    describe_flags,
)


def features(recording: xr.Dataset) -> xr.Dataset:
    """Make of a recording what a decoder reads.

    Parameters
    ----------
    recording : xr.Dataset
        Of one subject, as a probe records it. ``observed`` (stimulus, unit), if it is there, says
        which responses were measured at every visit: features are made of these alone, so that
        no statistic changes because other units were measured.

    Returns
    -------
    xr.Dataset
        ``stat`` (visit, layer, statistic) with the published statistics, ``change`` (visit, layer,
        change_name) with the scale-free changes, both float64, and NaN where not measured or not
        defined; ``flag`` (visit, layer, observable): live, dead (every unit gives the same) or
        exploded (not a finite number).
    """
    return labelled(recording, measure(recording))


@dataclass(frozen=True)
class Measured:
    """Features without their labels, as for :func:`features`; also of several subjects."""

    stat: np.ndarray
    change: np.ndarray
    flag: np.ndarray

    @classmethod
    def of_subjects(cls, each: Sequence[Measured]) -> Measured:
        """Put subjects of one make, recorded by one probe, along a leading axis."""
        return cls(*(np.stack([getattr(m, f.name) for m in each]) for f in fields(cls)))


def measure(recording: xr.Dataset) -> Measured:
    """Make of a recording what a decoder reads, without labels; see :func:`features`."""
    layers = [str(name) for name in recording[LAYER].values]
    visits = recording.sizes[VISIT]
    stat = np.full((visits, len(layers), len(STATISTICS)), np.nan)
    change = np.full((visits, len(layers), len(change_names())), np.nan)
    flag = np.full((visits, len(layers), len(OBSERVABLES)), LIVE, dtype=np.int8)
    for index, layer in enumerate(layers):
        for observable, seen in _of_layer(recording, layer, index):
            flag[:, index, OBSERVABLES.index(observable)] = seen.flag
            _place(stat[:, index], STATISTICS, seen.stats, seen.flag)
            _place(change[:, index], change_names(), seen.changes, seen.flag)
    return Measured(stat, change, flag)


@dataclass(frozen=True)
class _Seen:
    """What is made of one observable of one layer."""

    stats: Mapping[str, PerVisit]
    changes: Mapping[str, PerVisit]
    flag: np.ndarray


def _of_layer(recording: xr.Dataset, layer: str, index: int) -> Iterator[tuple[str, _Seen]]:
    if ACTIVITY in recording:
        mine = recording["unit_layer"].values == layer
        if mine.any():
            seen = _Responses(
                _part(recording[ACTIVITY], mine),
                _labels(recording),
                _kept(recording, mine),
                _part(recording["observed"], mine) if "observed" in recording else None,
            )
            if (some := seen.measured()) is not None:
                yield ACTIVITY, _seen_activity(some)
    if WEIGHTS in recording:
        mine = recording["synapse_layer"].values == layer
        if mine.any():
            yield WEIGHTS, _seen_weights(_part(recording[WEIGHTS], mine))
    if ACTIVITY_CHANGE in recording and recording["n_units"].values[index]:
        yield ACTIVITY_CHANGE, _seen_change(recording[ACTIVITY_CHANGE].values[:, :, index])


def _part(values: xr.DataArray, mine: np.ndarray) -> np.ndarray:
    """One layer's entries. A layer's lie together, so this is a view."""
    places = np.flatnonzero(mine)
    part: np.ndarray = values.values[..., places[0] : places[-1] + 1]
    return np.ascontiguousarray(part)


def _labels(recording: xr.Dataset) -> np.ndarray | None:
    return recording["stimulus_label"].values if "stimulus_label" in recording else None


def _kept(recording: xr.Dataset, mine: np.ndarray) -> np.ndarray | None:
    """Which of a layer's units were followed between any two visits; all, if nobody says."""
    if "unit_matched" not in recording:
        return None
    return kept_between(recording["unit_matched"].values[:, mine].astype(bool))


@dataclass(frozen=True)
class _Responses:
    """Responses of one layer.

    Parameters
    ----------
    values : array, (visit, stimulus, unit)
    labels : array of int, (stimulus,), optional
    kept : array of bool, (visit, visit, unit), optional
    observed : array of bool, (stimulus, unit), optional
        Whether a response was measured at every visit; all were if not given.
    """

    values: np.ndarray
    labels: np.ndarray | None
    kept: np.ndarray | None
    observed: np.ndarray | None

    def measured(self) -> _Responses | None:
        """Return the stimuli and units of which something was measured; None if nothing was."""
        if self.observed is None or self.observed.all():
            return replace(self, observed=None)
        stimuli, units = (np.flatnonzero(self.observed.any(axis)) for axis in (1, 0))
        if not len(units):
            return None
        chosen = np.ix_(stimuli, units)
        there = self.observed[chosen]
        return _Responses(
            self.values[:, stimuli][..., units],
            None if self.labels is None else self.labels[stimuli],
            None if self.kept is None else self.kept[..., units],
            None if there.all() else there,
        )


def _seen_activity(seen: _Responses) -> _Seen:
    values, observed = seen.values, seen.observed
    found = summaries(values) if observed is None else summaries_of_observed(values, observed)
    stats = {f"act{name}": over_images(each) for name, each in found.items()}
    moved = changes.of_activity(values, seen.labels, stats, seen.kept, observed)
    return _Seen(stats, moved, flags(values if observed is None else _alike(values, observed)))


def _alike(values: np.ndarray, observed: np.ndarray) -> np.ndarray:
    """Put for a missing response one that was measured for the same image: it makes no layer live.

    Parameters
    ----------
    values : array, (visit, stimulus, unit)
    observed : array of bool, (stimulus, unit)
    """
    first = values[:, np.arange(len(observed)), observed.argmax(1)]
    return np.where(observed, values, first[..., None])


def _seen_weights(weights: np.ndarray) -> _Seen:
    stats = {f"weight{name}": found for name, found in summaries(weights).items()}
    return _Seen(stats, changes.of_weights(weights, stats), flags(weights))


def _seen_change(gains: np.ndarray) -> _Seen:
    exact = gains.astype(np.float64)
    found = zip(FUNCTIONS, (np.abs(exact), exact, exact * exact), strict=True)
    stats = {f"gradavg{function}_id": values.mean(-1) for function, values in found}
    return _Seen(stats, changes.of_activity_change(gains, stats), flags(gains[..., None]))


def flags(values: np.ndarray) -> np.ndarray:
    """Live, dead or exploded at each visit.

    A layer is dead when for every image its units respond alike; where only one is recorded, when
    it does not respond at all.

    Parameters
    ----------
    values : array, (visit, ..., entry)
    """
    flat = values.reshape(len(values), -1)
    exploded = ~np.isfinite(flat).all(1)
    if values.shape[-1] == 1:
        dead = (flat == 0).all(1)
    else:
        dead = (values == values[..., :1]).reshape(len(values), -1).all(1)
    return np.select([exploded, dead], [EXPLODED, DEAD], LIVE).astype(np.int8)


def _place(
    table: np.ndarray, names: tuple[str, ...], found: Mapping[str, PerVisit], flag: np.ndarray
) -> None:
    """Put what was found into its columns; what exploded, or is not a number, is NaN."""
    for name, values in found.items():
        defined = np.isfinite(values) & (flag != EXPLODED)
        table[:, names.index(name)] = np.where(defined, values, np.nan)


def labelled(recording: xr.Dataset, found: Measured) -> xr.Dataset:
    """Label the features of a recording, or of several like it along a leading subject axis."""
    of = (SUBJECT,) if found.stat.ndim == 4 else ()
    owners = [OBSERVABLE_OF[name] for name in STATISTICS]
    change_owners = [_change_observables()[name] for name in change_names()]
    flag_attributes = {**describe("flag"), **describe_flags(FLAGS)}
    return xr.Dataset(
        {
            "stat": ((*of, VISIT, LAYER, STATISTIC), found.stat, describe("stat")),
            "change": ((*of, VISIT, LAYER, CHANGE_NAME), found.change, describe("change")),
            "flag": ((*of, VISIT, LAYER, OBSERVABLE), found.flag, flag_attributes),
        },
        coords={
            **{name: recording[name] for name in (VISIT, LAYER, "layer_depth", "depth_group")},
            STATISTIC: np.array(STATISTICS, dtype=object),
            "statistic_observable": (STATISTIC, np.array(owners, dtype=object)),
            "statistic_units": (STATISTIC, _units(recording), describe("statistic_units")),
            CHANGE_NAME: np.array(change_names(), dtype=object),
            "change_observable": (CHANGE_NAME, np.array(change_owners, dtype=object)),
            OBSERVABLE: np.array(OBSERVABLES, dtype=object),
        },
    ).drop_vars("n_units", errors="ignore")


def _units(recording: xr.Dataset) -> np.ndarray:
    """Units of each statistic, from those of its observable."""
    measured = {
        name: recording[name].attrs.get("units", "1") if name in recording else "1"
        for name in OBSERVABLES
    }
    found = [units_of(name, str(measured[OBSERVABLE_OF[name]])) for name in STATISTICS]
    return np.array(found, dtype=object)


@cache
def _change_observables() -> Mapping[str, str]:
    """Name of each change, and the observable it is of; asked of the functions that make them."""
    ones = np.ones((2, 2, 2))
    stats = {name: np.ones(2) for name in STATISTICS}
    made = {
        WEIGHTS: changes.of_weights(ones[:, 0], stats),
        ACTIVITY: changes.of_activity(ones, np.zeros(2, dtype=np.int64), stats),
        ACTIVITY_CHANGE: changes.of_activity_change(ones[:, 0], stats),
    }
    return {name: observable for observable, names in made.items() for name in names}


def change_names() -> tuple[str, ...]:
    """Names of the scale-free changes, in the order of the ``change_name`` axis."""
    return tuple(_change_observables())
