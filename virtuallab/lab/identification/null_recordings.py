"""Recordings in which nothing was learned, by null models of an experiment's subjects."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import jaxtyping as jt
import numpy as np
from joblib import delayed

from virtuallab import seeds
from virtuallab.decoder.features.samples import by_subject
from virtuallab.decoder.uncertainty.no_learning import NullSamples
from virtuallab.lab.designs.design_evaluation import joined_features
from virtuallab.lab.planning.network_group import NetworkGroup
from virtuallab.lab.services.workers import WorkerPool, torch_threads
from virtuallab.lab.stages.experiment import Experiment
from virtuallab.lab.stages.subject_source import SubjectSource, subject_source
from virtuallab.probes import Probe
from virtuallab.probes.statistics.features import change_observables, feature_arrays
from virtuallab.registry import NULL_MODELS
from virtuallab.subject.null import Trajectory
from virtuallab.vocabulary import ACTIVITY

EACH = 40  # recordings of each null model; 19 are the fewest with which one can be excluded
_DEPTHS, _PIECE = 3, 8
_CHANGE = "act_cosine_start"


@dataclass(frozen=True)
class _Wanted:
    """One null recording: its subject, by its place among the members, and its null model."""

    place: int
    key: str
    kind: str
    number: int  # of this null model in this subject


def null_samples(
    experiment: Experiment,
    probe: Probe,
    members: Sequence[int],
    kinds: Sequence[str],
    *,
    each: int = EACH,
    pool: WorkerPool,
    advance: Callable[[int], None] = lambda _: None,
) -> NullSamples | None:
    """Record null models of subjects with a probe.

    Parameters
    ----------
    experiment : Experiment
    probe : Probe
    members : sequence of int
        Indices of the subjects from whose preserved states the null models are made.
    kinds : sequence of str
        Names of null models. One that is possible in none of the networks is left out; so is one
        of the read-out alone, if the probe records no other layer.
    each : int
        Recordings of each null model, divided evenly over the subjects.
    pool : WorkerPool
    advance : callable
        Called with a number of recordings when they are made.

    Returns
    -------
    NullSamples
        ``owners`` are places in ``members``. None if no null model is possible.
    """
    plan, store = experiment.plan, experiment.store
    wanted = _divided(experiment, probe, members, kinds, each)
    if not wanted:
        return None
    pieces = []
    for group in plan.network_groups:
        inside = set(group.members)
        mine = [one for one in wanted if members[one.place] in inside]
        pieces += [(group, mine[first : first + _PIECE]) for first in range(0, len(mine), _PIECE)]
    rows: list[tuple[_Wanted, np.ndarray]] = []
    steps, seed = tuple(map(int, store.plan["visits"])), plan.protocol.seed
    record = partial(_recorded, probe, seed, steps, tuple(members))

    def source(group: NetworkGroup, part: Sequence[_Wanted]) -> SubjectSource:
        return subject_source(pool, store, group, seed, {members[one.place] for one in part})

    with pool.parallel(return_as="generator_unordered") as parallel:
        calls = (delayed(record)(source(group, part), group, part) for group, part in pieces)
        for piece in parallel(calls):
            rows += piece
            advance(len(piece))
    rows.sort(key=lambda row: (row[0].kind, row[0].place, row[0].number))
    return NullSamples(
        values=np.stack([values for _, values in rows]),
        kinds=np.array([one.kind for one, _ in rows]),
        owners=np.array([one.place for one, _ in rows]),
    )


def total_change(
    values: jt.Float[np.ndarray, "sample column"], stages: int
) -> jt.Float[np.ndarray, " sample"]:
    """Change of the responses from the first visit to the last stage, for each sample.

    Parameters
    ----------
    values : array, (sample, column)
        Of activity.
    stages : int
        Stages of learning.

    Returns
    -------
    array, (sample,)
        One minus the cosine between their patterns, averaged over early, middle and deep layers;
        NaN where no unit was followed.
    """
    names = [name for name, of in change_observables().items() if of == ACTIVITY]
    table = values.reshape(len(values), -1, len(names), stages)
    cosine = table[:, :_DEPTHS, names.index(_CHANGE), -1]
    finite = np.isfinite(cosine)
    count = finite.sum(1)
    total = np.where(finite, 1 - cosine, 0.0).sum(1)
    found: np.ndarray = np.where(count > 0, total / np.maximum(count, 1), np.nan)
    return found


def _divided(
    experiment: Experiment, probe: Probe, members: Sequence[int], kinds: Sequence[str], each: int
) -> list[_Wanted]:
    """Return which null models are made of which subjects, in an order drawn for each kind."""
    subjects, seed = experiment.plan.subjects, experiment.plan.protocol.seed
    usable = _usable(experiment, probe, members, kinds)
    found = []
    for kind in kinds:
        if not (places := usable[kind]):
            continue
        order = seeds.generator(seed, seeds.NULL, kind).permutation(places)
        for number in range(each):
            place = int(order[number % len(places)])
            key = subjects[members[place]].key
            found.append(_Wanted(place, key, kind, number // len(places)))
    return found


def _usable(
    experiment: Experiment, probe: Probe, members: Sequence[int], kinds: Sequence[str]
) -> dict[str, list[int]]:
    """Return the places of the members in which each null model is possible."""
    found: dict[str, list[int]] = {kind: [] for kind in kinds}
    for group in experiment.plan.network_groups:
        places = [place for place, index in enumerate(members) if index in set(group.members)]
        if not places:
            continue
        states = np.zeros((1, group.layout().size), dtype=np.float32)
        network = Trajectory(group.architecture, group.task, states, (0,))
        recorded = set(probe.resolved.layers or group.layout().layers)
        ends = recorded == {group.layout().layers[-1]}
        for kind in kinds:
            null = NULL_MODELS[kind]()
            if null.is_possible(network) and not (ends and null.trains_read_out):
                found[kind] += places
    return {kind: sorted(places) for kind, places in found.items()}


def _recorded(
    probe: Probe,
    seed: int,
    steps: tuple[int, ...],
    members: tuple[int, ...],
    source: SubjectSource,
    group: NetworkGroup,
    wanted: Sequence[_Wanted],
) -> list[tuple[_Wanted, np.ndarray]]:
    """Record some null models of subjects of one group."""
    [calibration] = source.reference().calibrations([probe])
    found, coords = [], None
    with torch_threads(1):
        for one in wanted:
            states = np.concatenate(list(source.states(members[one.place])))
            trajectory = Trajectory(group.architecture, group.task, states, steps)
            null, owner = NULL_MODELS[one.kind](), (one.key, seeds.NULL, one.kind, str(one.number))
            prepared = null.prepare(trajectory, seeds.generator(seed, *owner))
            implant = probe.implant(prepared, seeds.generator(seed, *owner, seeds.PROBE_CHOICE))
            noise = seeds.generator(seed, *owner, seeds.PROBE_NOISE)
            recording = implant.record(prepared, noise, calibration)
            coords = recording.coords.to_dataset() if coords is None else coords
            found.append((one, feature_arrays(recording, theory=False)))
    if coords is None:
        return []
    values = by_subject(joined_features(coords, [each for _, each in found]), ACTIVITY).values
    return [(one, row) for (one, _), row in zip(found, values, strict=True)]
