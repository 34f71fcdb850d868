"""Features of one subject's recording: statistics, scale-free changes, flags."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import jaxtyping as jt
import numpy as np
import xarray as xr

from virtuallab.probes.statistics.inner_products import QUIET, LayerResponses, followed_units
from virtuallab.probes.statistics.published import (
    FUNCTIONS,
    OBSERVABLE_OF,
    PUBLISHED_STATISTICS,
    mean_over_images,
    statistic_units,
    summary_statistics,
    summary_statistics_of_observed,
)
from virtuallab.probes.statistics.statistic import Statistic
from virtuallab.probes.statistics.theory.activity import activity_theory
from virtuallab.probes.statistics.theory.weights import weight_theory
from virtuallab.probes.statistics.trajectory import (
    Stats,
    activity_changes,
    sensitivity_changes,
    weight_changes,
)
from virtuallab.registry import STATISTICS
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
    THEORY,
    VISIT,
    WEIGHTS,
    Observable,
    describe,
    describe_flags,
)


def features(recording: xr.Dataset, statistics: Sequence[str] = ()) -> xr.Dataset:
    """Features of a recording: what a decoder reads.

    Parameters
    ----------
    recording : xr.Dataset
        Of one subject, as a probe records it. ``observed`` (stimulus, unit), if it is there, marks
        the responses that were measured at every visit; features are made of these alone, so that
        no statistic changes because other units were measured.
    statistics : sequence of str
        Names of further statistics (:class:`~virtuallab.probes.Statistic`). Each is a column of
        both ``stat`` and ``change``, after the others.

    Returns
    -------
    xr.Dataset
        ``stat`` (visit, layer, statistic) with the published statistics, ``change`` (visit, layer,
        change_name) with the scale-free changes and then those that theories predict
        (``change_observable`` "theory"), both float64, and NaN where not measured or not defined;
        ``flag`` (visit, layer, observable): live, dead (every unit gives the same) or
        exploded (not a finite number).

    Raises
    ------
    UnknownName
        If there is no such statistic.
    """
    return label_features(recording, feature_arrays(recording, statistics))


@dataclass(frozen=True)
class FeatureArrays:
    """Features without their labels.

    Parameters
    ----------
    stat : array, (visit, layer, statistic)
    change : array, (visit, layer, change)
    flag : array of int, (visit, layer, observable)
        All as for :func:`features`; of several subjects with a leading subject axis.
    statistics : tuple of str
        Names of the further statistics.
    """

    stat: np.ndarray
    change: np.ndarray
    flag: np.ndarray
    statistics: tuple[str, ...] = ()

    @classmethod
    def of_subjects(cls, each: Sequence[FeatureArrays]) -> FeatureArrays:
        """Join subjects of one architecture, recorded by one probe, along a leading axis."""
        arrays = {
            name: np.stack([getattr(one, name) for one in each])
            for name in ("stat", "change", "flag")
        }
        return cls(**arrays, statistics=each[0].statistics)


def feature_arrays(
    recording: xr.Dataset, statistics: Sequence[str] = (), *, theory: bool = True
) -> FeatureArrays:
    """Features of a recording without their labels; see :func:`features`.

    Parameters
    ----------
    recording : xr.Dataset
    statistics : sequence of str
    theory : bool
        False to leave out what theories predict, which takes a third of the time; NaN then.
    """
    layers = [str(name) for name in recording[LAYER].values]
    shape = recording.sizes[VISIT], len(layers)
    further = {name: STATISTICS[name]() for name in statistics}
    stat_names = (*PUBLISHED_STATISTICS, *further)
    all_changes = (*change_names(), *theory_names(), *further)
    found = FeatureArrays(
        stat=np.full((*shape, len(stat_names)), np.nan),
        change=np.full((*shape, len(all_changes)), np.nan),
        flag=np.full((*shape, len(OBSERVABLES)), LIVE, dtype=np.int8),
        statistics=tuple(further),
    )
    for index, layer in enumerate(layers):
        for part in _layer_features(recording, layer, index, theory):
            flag = layer_flags(part.values)
            found.flag[:, index, OBSERVABLES.index(part.observable)] = flag
            own = part.further(further)
            _place(found.stat[:, index], stat_names, {**part.stats, **own}, flag)
            _place(found.change[:, index], all_changes, {**part.changes, **own}, flag)
    return found


@dataclass(frozen=True)
class _LayerFeatures:
    """One observable of one layer: its values, for flags and further statistics, and features."""

    observable: Observable
    values: np.ndarray  # with an entry for each unit or synapse in the last axis
    labels: np.ndarray | None
    stats: Stats
    changes: Stats

    @QUIET
    def further(self, statistics: Mapping[str, Statistic]) -> dict[str, np.ndarray]:
        """Values of the further statistics of this observable."""
        exact = self.values.astype(np.float64)
        if self.observable == ACTIVITY_CHANGE:
            exact = exact[..., 0]
        return {
            name: each.compute(exact, self.labels)
            for name, each in statistics.items()
            if each.observable == self.observable
        }


def _layer_features(
    recording: xr.Dataset, layer: str, index: int, theory: bool
) -> Iterator[_LayerFeatures]:
    """Features of each observable that was recorded of one layer."""
    if ACTIVITY in recording:
        mine = recording["unit_layer"].values == layer
        responses = _responses(recording, mine).measured() if mine.any() else None
        if responses is not None:
            values, observed = responses.values, responses.observed
            if observed is None:
                found = summary_statistics(values)
            else:
                found = summary_statistics_of_observed(values, observed)
                # In the place of a missing response one to the same image: it makes no layer live.
                first = values[:, np.arange(len(observed)), observed.argmax(1)]
                values = np.where(observed, values, first[..., None])
            stats = {f"act{name}": mean_over_images(each) for name, each in found.items()}
            changes = activity_changes(responses, stats)
            if theory:
                changes |= activity_theory(responses, changes)
            yield _LayerFeatures(ACTIVITY, values, responses.labels, stats, changes)
    if WEIGHTS in recording:
        mine = recording["synapse_layer"].values == layer
        if mine.any():
            weights = _part(recording[WEIGHTS].values, mine)
            stats = {f"weight{n}": found for n, found in summary_statistics(weights).items()}
            changes = weight_changes(weights, stats)
            if theory:
                changes |= weight_theory(weights)
            yield _LayerFeatures(WEIGHTS, weights, None, stats, changes)
    if ACTIVITY_CHANGE in recording and recording["n_units"].values[index]:
        gains = recording[ACTIVITY_CHANGE].values[:, :, index]
        exact = gains.astype(np.float64)
        each = zip(FUNCTIONS, (np.abs(exact), exact, exact * exact), strict=True)
        stats = {f"gradavg{function}_id": values.mean(-1) for function, values in each}
        known = _values_of(recording, "stimulus_label")
        changes = sensitivity_changes(gains, stats)
        yield _LayerFeatures(ACTIVITY_CHANGE, gains[..., None], known, stats, changes)


def _values_of(recording: xr.Dataset, name: str) -> np.ndarray | None:
    """Values of a variable that a recording may lack."""
    # Not by `Dataset.get`: for a missing name it searches for similar ones, which takes longer.
    return recording[name].values if name in recording.variables else None


def _part(values: np.ndarray, mine: np.ndarray) -> np.ndarray:
    """Entries of one layer. They lie together, so that a slice is enough."""
    places = np.flatnonzero(mine)
    return np.ascontiguousarray(values[..., places[0] : places[-1] + 1])


def _responses(recording: xr.Dataset, mine: np.ndarray) -> LayerResponses:
    matched, observed = (_values_of(recording, name) for name in ("unit_matched", "observed"))
    return LayerResponses(
        _part(recording[ACTIVITY].values, mine),
        _values_of(recording, "stimulus_label"),
        None if matched is None else followed_units(matched[:, mine].astype(bool)),
        None if observed is None else _part(observed, mine),
    )


def layer_flags(values: np.ndarray) -> jt.Int8[np.ndarray, " visit"]:
    """Flag of a layer at each visit: live, dead or exploded.

    A layer is dead when its units respond alike to every image; if only one is recorded, when it
    does not respond at all.

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


def _place(table: np.ndarray, names: tuple[str, ...], found: Stats, flag: np.ndarray) -> None:
    """Write values into their columns; NaN where they are not finite or the layer exploded."""
    if found:
        values = np.stack(list(found.values()), axis=1)
        defined = np.isfinite(values) & (flag != EXPLODED)[:, None]
        table[:, list(map(names.index, found))] = np.where(defined, values, np.nan)


def label_features(recording: xr.Dataset, found: FeatureArrays) -> xr.Dataset:
    """Label the features of a recording, or of several like it along a leading subject axis.

    Parameters
    ----------
    recording : xr.Dataset
    found : FeatureArrays

    Returns
    -------
    xr.Dataset
        As :func:`features` returns it.
    """
    of = (SUBJECT,) if found.stat.ndim == 4 else ()
    own_units = {n: str(recording[n].attrs.get("units", "1")) for n in recording.data_vars}
    further = {name: STATISTICS[name].observable for name in found.statistics}
    stat_owners = {name: OBSERVABLE_OF[name] for name in PUBLISHED_STATISTICS} | further
    change_owners = {**change_observables(), **dict.fromkeys(theory_names(), THEORY), **further}
    units = [
        "1" if name in further else statistic_units(name, own_units.get(of, "1"))
        for name, of in stat_owners.items()
    ]
    flag_attributes = {**describe("flag"), **describe_flags(FLAGS)}
    return xr.Dataset(
        {
            "stat": ((*of, VISIT, LAYER, STATISTIC), found.stat, describe("stat")),
            "change": ((*of, VISIT, LAYER, CHANGE_NAME), found.change, describe("change")),
            "flag": ((*of, VISIT, LAYER, OBSERVABLE), found.flag, flag_attributes),
        },
        coords={
            **{name: recording[name] for name in (VISIT, LAYER, "layer_depth", "depth_group")},
            STATISTIC: _texts(stat_owners),
            "statistic_observable": (STATISTIC, _texts(stat_owners.values())),
            "statistic_units": (STATISTIC, _texts(units), describe("statistic_units")),
            CHANGE_NAME: _texts(change_owners),
            "change_observable": (CHANGE_NAME, _texts(change_owners.values())),
            OBSERVABLE: _texts(OBSERVABLES),
        },
    ).drop_vars("n_units", errors="ignore")


def _texts(texts: Iterable[str]) -> np.ndarray:
    return np.array(list(texts), dtype=object)


@cache
def change_observables() -> Mapping[str, str]:
    """Name of each change and its observable, from the functions that make them."""
    ones = np.ones((2, 2, 2))
    stats = {name: np.ones(2) for name in PUBLISHED_STATISTICS}
    labelled = LayerResponses(ones, np.zeros(2, dtype=np.int64))
    made = {
        WEIGHTS: weight_changes(ones[:, 0], stats),
        ACTIVITY: activity_changes(labelled, stats),
        ACTIVITY_CHANGE: sensitivity_changes(ones[:, 0], stats),
    }
    return {name: observable for observable, names in made.items() for name in names}


def change_names() -> tuple[str, ...]:
    """Names of the scale-free changes of every recording, in the order of ``change_name``."""
    return tuple(change_observables())


@cache
def theory_names() -> tuple[str, ...]:
    """Names of the changes that theories predict, which follow the scale-free changes."""
    ones = np.ones((2, 2, 2))
    return *weight_theory(ones[:, 0]), *activity_theory(LayerResponses(ones), {})
