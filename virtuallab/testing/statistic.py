"""Conformance check of statistics."""

from __future__ import annotations

import numpy as np

from virtuallab.probes.probe import Probe
from virtuallab.probes.statistics.features import change_names, features, theory_names
from virtuallab.probes.statistics.published import PUBLISHED_STATISTICS
from virtuallab.probes.statistics.statistic import Statistic
from virtuallab.registry import STATISTICS
from virtuallab.testing.planted_preparation import VISITS, planted_preparation
from virtuallab.testing.plugin import broken, global_state, plugin_instance
from virtuallab.vocabulary import ACTIVITY, ACTIVITY_CHANGE, OBSERVABLES, WEIGHTS

_SCALE = 3.0


def check_statistic(statistic: str | type[Statistic] | Statistic) -> None:
    """Check that a statistic can be read by a decoder.

    It gives one finite number a visit, the same at each call. It is scale-free, does not depend on
    later visits or on the order of units or synapses, and follows units only if it says so. Silent
    layers and layers with a single unit raise nothing. Naming it leaves all other features as they
    are.

    Parameters
    ----------
    statistic : str, type or Statistic
        A registered name, a class, or an instance. It has to be registered.

    Raises
    ------
    AssertionError
        With what the statistic breaks.
    """
    found = plugin_instance(statistic, STATISTICS, Statistic)
    if found.observable not in OBSERVABLES:
        _broken(found, f"is of {found.observable!r}; use one of {', '.join(OBSERVABLES)}")
    if found.name in (*PUBLISHED_STATISTICS, *change_names(), *theory_names()):
        _broken(found, "has the name of a statistic that every recording has")
    values, labels = _layer(found)
    _check_values(found, values, labels)
    _check_invariance(found, values, labels)
    _check_extremes(found, values, labels)
    _check_features(found)


def _layer(statistic: Statistic) -> tuple[np.ndarray, np.ndarray | None]:
    """Values and labels of one layer that a statistic may be given."""
    preparation = planted_preparation()
    labels = preparation.labels
    if statistic.observable == WEIGHTS:
        return preparation.weights["fc3"].astype(np.float64), None
    responses = preparation.responses["fc3"].astype(np.float64)
    return (responses if statistic.observable == ACTIVITY else responses[..., 0]), labels


def _check_values(statistic: Statistic, values: np.ndarray, labels: np.ndarray | None) -> None:
    kept, before = values.copy(), global_state()
    found = np.asarray(statistic.compute(values, labels))
    if found.shape != (VISITS,):
        _broken(statistic, f"returns the shape {found.shape} in place of one number a visit")
    if not np.isfinite(found).all():
        _broken(statistic, "is not finite in a layer that responds")
    if not np.array_equal(values, kept):
        _broken(statistic, "changes the values it is given; work on a copy")
    again = np.asarray(statistic.compute(values, labels))
    if not np.array_equal(found, again) or global_state() != before:
        _broken(statistic, "does not repeat itself; a statistic is not random")


def _check_invariance(statistic: Statistic, values: np.ndarray, labels: np.ndarray | None) -> None:
    found = statistic.compute(values, labels)
    if not np.allclose(statistic.compute(_SCALE * values, labels), found):
        _broken(statistic, f"is not scale-free: {_SCALE:g} times larger values change it")
    for visits in range(1, VISITS):
        if not np.allclose(statistic.compute(values[:visits], labels), found[:visits]):
            _broken(statistic, f"of the first {visits} visits depends on later visits")
    if statistic.observable == ACTIVITY_CHANGE:
        return  # it has no units
    stream = np.random.default_rng(1)
    order = stream.permutation(values.shape[-1])
    if not np.allclose(statistic.compute(values[..., order], labels), found):
        _broken(statistic, "depends on the order of the units, which differs between subjects")
    mixed = np.stack([stream.permutation(visit, axis=-1) for visit in values])
    follows = not np.allclose(statistic.compute(mixed, labels), found)
    if follows and statistic.observable == ACTIVITY and not statistic.follows_units:
        _broken(
            statistic,
            "compares units of one visit with those of another; set follows_units = True, so that "
            "probes with turnover refuse it",
        )


def _check_extremes(statistic: Statistic, values: np.ndarray, labels: np.ndarray | None) -> None:
    few = values if statistic.observable == ACTIVITY_CHANGE else values[..., :1]
    cases = {"silent layer": 0 * values, "layer with one unit": few, "single visit": values[:1]}
    if labels is not None:
        cases["recording without labels"] = values
    for case, given in cases.items():
        known = None if case == "recording without labels" else labels
        try:
            with np.errstate(all="ignore"):
                found = np.asarray(statistic.compute(given, known))
        except Exception as error:
            _broken(statistic, f"raises {type(error).__name__} for a {case}; return NaN: {error}")
        if found.shape != (len(given),):
            _broken(statistic, f"returns the shape {found.shape} for a {case}")


def _check_features(statistic: Statistic) -> None:
    name = statistic.name
    if name not in STATISTICS:
        _broken(statistic, "is not registered; put @STATISTICS.register('...') above its class")
    preparation = planted_preparation()
    probe = Probe(units=200, synapses=200, statistics=(name,))
    stream = np.random.default_rng(1)
    recording = probe.implant(preparation, stream).record(preparation, stream)
    with_it, without = features(recording, probe.statistics), features(recording)
    for axis, variable in (("statistic", "stat"), ("change_name", "change")):
        column = with_it[variable].sel({axis: name})
        if not np.isfinite(column.to_numpy()).all():
            _broken(statistic, "is not finite in the recording of a probe")
        if not with_it[variable].sel({axis: without[axis]}).equals(without[variable]):
            _broken(statistic, "changes other statistics")


def _broken(statistic: Statistic, what: str) -> None:
    broken("statistic", statistic, what)
