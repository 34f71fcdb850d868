"""From one subject's recording to its features: statistics, scale-free changes, flags."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import numpy as np
import xarray as xr

from virtuallab.probe import changes
from virtuallab.probe.statistics import OBSERVABLE_OF, STATISTICS, over_images, summaries
from virtuallab.vocabulary import (
    ACTIVITY,
    ACTIVITY_CHANGE,
    DEAD,
    EXPLODED,
    FLAGS,
    LIVE,
    OBSERVABLES,
    WEIGHTS,
    describe,
    describe_flags,
)


def features(recording: xr.Dataset) -> xr.Dataset:
    """Make of a recording what a decoder reads.

    Parameters
    ----------
    recording : xr.Dataset
        Of one subject, as a probe records it.

    Returns
    -------
    xr.Dataset
        ``stat`` (visit, layer, statistic) with the published statistics, ``change`` (visit, layer,
        change) with the scale-free changes, both float64 and NaN where not measured or not defined;
        ``flag`` (visit, layer, observable): live, dead (every unit gives the same) or exploded (not
        a finite number).
    """
    layers = [str(name) for name in recording["layer"].values]
    visits = recording.sizes["visit"]
    stat = np.full((visits, len(layers), len(STATISTICS)), np.nan)
    change = np.full((visits, len(layers), len(change_names())), np.nan)
    flag = np.full((visits, len(layers), len(OBSERVABLES)), LIVE, dtype=np.int8)
    place = {name: index for index, name in enumerate(STATISTICS)}
    change_place = {name: index for index, name in enumerate(change_names())}
    for index, layer in enumerate(layers):
        # An exploded layer overflows wherever it goes; its flag says so, once.
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            found, moved, flags = _of_layer(recording, layer, index)
        for name, values in found.items():
            stat[:, index, place[name]] = values
        for name, values in moved.items():
            change[:, index, change_place[name]] = values
        for observable, values in flags.items():
            flag[:, index, OBSERVABLES.index(observable)] = values
    return xr.Dataset(
        {
            "stat": (("visit", "layer", "statistic"), stat, describe("stat")),
            "change": (("visit", "layer", "change_name"), change, describe("change")),
            "flag": (
                ("visit", "layer", "observable"),
                flag,
                {**describe("flag"), **describe_flags(FLAGS)},
            ),
        },
        coords={
            "visit": recording["visit"],
            "layer": recording["layer"],
            "layer_depth": recording["layer_depth"],
            "depth_group": recording["depth_group"],
            "statistic": np.array(STATISTICS, dtype=object),
            "statistic_observable": (
                "statistic",
                np.array([OBSERVABLE_OF[name] for name in STATISTICS], dtype=object),
            ),
            "change_name": np.array(change_names(), dtype=object),
            "change_observable": (
                "change_name",
                np.array([_change_observables()[name] for name in change_names()], dtype=object),
            ),
            "observable": np.array(OBSERVABLES, dtype=object),
        },
    )


_OfLayer = tuple[dict[str, np.ndarray], dict[str, np.ndarray], dict[str, np.ndarray]]


def _of_layer(recording: xr.Dataset, layer: str, index: int) -> _OfLayer:
    stats: dict[str, np.ndarray] = {}
    moved: dict[str, np.ndarray] = {}
    flags: dict[str, np.ndarray] = {}
    if ACTIVITY in recording:
        mine = recording["unit_layer"].values == layer
        responses = recording[ACTIVITY].values[:, :, mine]
        if mine.any():
            flags[ACTIVITY] = _flag(responses)
            stats |= {
                f"act{name}": over_images(values) for name, values in summaries(responses).items()
            }
            labels = recording["stimulus_label"].values
            moved |= changes.of_activity(responses, labels, stats)
    if WEIGHTS in recording:
        mine = recording["synapse_layer"].values == layer
        weights = recording[WEIGHTS].values[:, mine]
        if mine.any():
            flags[WEIGHTS] = _flag(weights)
            stats |= {f"weight{name}": values for name, values in summaries(weights).items()}
            moved |= changes.of_weights(weights, stats)
    if ACTIVITY_CHANGE in recording:
        gain = recording[ACTIVITY_CHANGE].values[:, :, index].astype(np.float64)
        flags[ACTIVITY_CHANGE] = _flag(gain, constant_is_dead=False)
        stats |= {
            "gradavgabs_id": over_images(np.abs(gain)),
            "gradavgraw_id": over_images(gain),
            "gradavgsq_id": over_images(gain * gain),
        }
        moved |= changes.of_activity_change(stats)
    return stats, moved, flags


def _flag(values: np.ndarray, *, constant_is_dead: bool = True) -> np.ndarray:
    """Live, dead or exploded, for each visit."""
    flat = values.reshape(len(values), -1)
    exploded = ~np.isfinite(flat).all(1)
    with np.errstate(invalid="ignore"):
        # An image to which all units respond alike is nothing unusual; a layer is dead when its
        # units are alike for every image.
        spread = np.ptp(values, axis=-1).reshape(len(values), -1).max(1)
        dead = (spread == 0) if constant_is_dead else (flat == 0).all(1)
    return np.select([exploded, dead], [EXPLODED, DEAD], LIVE).astype(np.int8)


@cache
def _change_observables() -> Mapping[str, str]:
    """Name of each change, and the observable it is of; asked of the functions that make them."""
    one = np.ones((2, 2, 2))
    stats = {name: np.ones(2) for name in STATISTICS}
    made = {
        ACTIVITY: changes.of_activity(one, np.zeros(2, dtype=np.int64), stats),
        WEIGHTS: changes.of_weights(one[:, 0], stats),
        ACTIVITY_CHANGE: changes.of_activity_change(stats),
    }
    return {name: observable for observable, names in made.items() for name in names}


def change_names() -> tuple[str, ...]:
    """Return names of the scale-free changes, in the order of the ``change_name`` axis."""
    return tuple(_change_observables())
