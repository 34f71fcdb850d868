"""Recordings of preserved subjects, without what identifies the subjects.

Stores keep statistics, so subjects are recorded again from their preserved states. Stores are only
read. The units and stimuli of a subject are drawn by its name in the set, and not by its key in the
experiment, which contains its rule: the draw then carries no information on the rule. The order of
the subjects is drawn from the checksums of their states. From the public protocol and seed alone it
cannot be computed, and with it the labels; the subjects have to be trained again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np
import xarray as xr
from joblib import Parallel, delayed

from virtuallab import seeds
from virtuallab.decoder.features.columns import columns_of
from virtuallab.decoder.features.samples import by_subject
from virtuallab.decoder.schemes.splits import kinds_of
from virtuallab.errors import UserError
from virtuallab.lab.designs.design_evaluation import joined_features
from virtuallab.lab.services.workers import torch_threads
from virtuallab.lab.stages.experiment import Experiment, resume
from virtuallab.lab.stages.nodes import (
    TRAIN,
    check_living,
    check_preserved,
    check_trained,
    living,
)
from virtuallab.lab.stages.subject_recorder import PlannedRecording, SubjectRecorder
from virtuallab.lab.stages.subject_source import StoredSubjects
from virtuallab.probes import Probe
from virtuallab.probes.statistics.features import feature_arrays
from virtuallab.store import Store
from virtuallab.vocabulary import ACTIVITY, PAIR, RULE, STIMULUS, SUBJECT, UNIT, VISIT, describe

# Columns of the subject table that only the training subjects have.
HIDDEN: Final = (RULE, PAIR, "batch_size", "model_seed", "data_seed")
KIND: Final = "kind"
_PIECE: Final = 8  # subjects that one process records at a time
_MANTISSA: Final = 10  # bits, as of half precision; the exponent keeps its range


@dataclass(frozen=True)
class RecordedSet:
    """Recordings and features of the subjects of one experiment.

    Parameters
    ----------
    recordings : xr.Dataset
        ``activity`` (subject, visit, stimulus, unit) in single precision, rounded to 10 bits of the
        mantissa; ``stimulus_label`` (subject, stimulus); ``unit_depth`` (subject, unit), from 0,
        the first layer, to 1, the last.
    features : array, (subject, column)
        Of the default decoder, computed before rounding.
    columns : list of str
    table : xr.Dataset
        ``kind`` and the columns :data:`HIDDEN`, as far as they are known, over ``subject``.
    diverged : int
        Subjects that are left out because they diverged.
    """

    recordings: xr.Dataset
    features: np.ndarray
    columns: list[str]
    table: xr.Dataset
    diverged: int


@dataclass(frozen=True)
class _Recorded:
    """Recording of one subject."""

    activity: np.ndarray
    labels: np.ndarray
    depths: np.ndarray
    features: np.ndarray
    columns: list[str]


def record_set(
    store: Path, prefix: str, *, units: int, stimuli: int, seed: int, workers: int
) -> RecordedSet:
    """Record every subject of an experiment that did not diverge, in random order.

    Parameters
    ----------
    store : Path
        The experiment, which is only read.
    prefix : str
        Beginning of the names of the subjects.
    units, stimuli : int
        Recorded in each subject, at all visits.
    seed : int
        Of the choice of units and stimuli and, with the states of the subjects, of their order.
    workers : int
        Processes.

    Raises
    ------
    UserError
        If not all subjects are trained, they are not preserved, or they have too few units or
        stimuli.
    """
    opened = Store.open(store)
    check_trained(opened)
    check_living(opened)
    check_preserved(opened, "they cannot be recorded again")
    experiment = resume(opened)
    probe = Probe(units=units, stimuli=stimuli, observables=(ACTIVITY,))
    for sizes in experiment.plan.sizes:
        for field, message in probe.check(*sizes):
            raise UserError(f"{store}: the subjects cannot be recorded: {field}: {message}")
    members = np.array(sorted(living(opened)))
    order = seeds.generator(seed, prefix, "order", _digest_of_states(opened))
    members = order.permutation(members)
    digits = max(4, len(str(len(members))))
    names = [f"{prefix}-{number:0{digits}d}" for number in range(1, len(members) + 1)]
    name_of = dict(zip(members.tolist(), names, strict=True))
    plan = experiment.plan
    # A process prepares the task of a group of networks once for several subjects.
    pieces = Parallel(n_jobs=workers)(
        delayed(_record)(
            StoredSubjects(store, group, plan.protocol.seed),
            len(plan.visits),
            [(index, plan.subjects[index].key, name_of[index]) for index in piece],
            probe,
            seed,
        )
        for group in plan.network_groups
        for piece in _pieces([index for index in group.members if index in name_of])
    )
    found = {index: each for piece in pieces for index, each in piece}
    recorded = [found[index] for index in members.tolist()]
    return RecordedSet(
        recordings=_joined(recorded, names, experiment),
        features=np.stack([each.features for each in recorded]),
        columns=recorded[0].columns,
        table=_table(opened, members, names),
        diverged=opened.subjects.sizes[SUBJECT] - len(members),
    )


def _digest_of_states(store: Store) -> str:
    """Digest of the checksums of all preserved states, which nobody knows without the store."""
    records = store.committed(TRAIN)
    checksums = [records[index]["checksums"] for index in sorted(living(store))]
    return hashlib.sha256(json.dumps(checksums, sort_keys=True).encode()).hexdigest()


def _pieces(members: Sequence[int]) -> Iterator[Sequence[int]]:
    for first in range(0, len(members), _PIECE):
        yield members[first : first + _PIECE]


def _record(
    source: StoredSubjects,
    visits: int,
    subjects: Sequence[tuple[int, str, str]],
    probe: Probe,
    seed: int,
) -> list[tuple[int, _Recorded]]:
    """Record subjects, given by index, key and name, with units that their names decide."""
    reference, recorded = source.reference(), []
    with torch_threads(1):
        for index, key, name in subjects:
            choice = partial(seeds.generator, seed, name, seeds.PROBE_CHOICE)
            noise = partial(seeds.generator, seed, name, seeds.PROBE_NOISE)
            planned = PlannedRecording(probe, None, choice, noise, alone=False)
            recorder = SubjectRecorder(reference.of_subject(key), visits, [planned])
            for states in source.states(index):
                recorder.add(states)
            [(found, _)] = recorder.finish()
            recorded.append((index, _kept(found)))
    return recorded


def _kept(found: xr.Dataset) -> _Recorded:
    """The part of a recording that the set has."""
    features = joined_features(found.coords.to_dataset(), [feature_arrays(found)])
    activity = found[ACTIVITY].transpose(VISIT, STIMULUS, UNIT).to_numpy()
    depth_of = dict(zip(found["layer"].values, found["layer_depth"].values, strict=True))
    return _Recorded(
        activity=rounded(activity.astype(np.float32)),
        labels=found["stimulus_label"].to_numpy(),
        depths=np.array([depth_of[layer] for layer in found["unit_layer"].values]),
        features=by_subject(features, ACTIVITY).values[0],
        columns=columns_of(features, ACTIVITY).names,
    )


def rounded(values: np.ndarray) -> np.ndarray:
    """Single-precision values rounded to 10 bits of the mantissa, which compress well.

    The relative error is at most 2^-11. Half precision would turn large responses into infinity.

    >>> rounded(np.array([1.0, 1.0001, 70000.0], dtype=np.float32)).tolist()
    [1.0, 1.0, 70016.0]
    """
    drop = 23 - _MANTISSA
    bits = values.astype(np.float32).view(np.uint32).astype(np.uint64)
    # To the nearest; ties go to the even neighbour.
    bits += np.uint64((1 << (drop - 1)) - 1) + ((bits >> np.uint64(drop)) & np.uint64(1))
    bits &= np.uint64(0xFFFFFFFF ^ ((1 << drop) - 1))
    short = bits.astype(np.uint32).view(np.float32)
    found: np.ndarray = np.where(np.isfinite(values), short, values)
    return found


def _joined(recorded: Sequence[_Recorded], names: Sequence[str], of: Experiment) -> xr.Dataset:
    """Recordings of all subjects, which have as many units each."""
    activity = np.stack([each.activity for each in recorded])
    depths = np.stack([each.depths for each in recorded]).astype(np.float32)
    labels = np.stack([each.labels for each in recorded]).astype(np.int16)
    steps = np.array(of.plan.visits, dtype=np.int64)
    return xr.Dataset(
        {
            ACTIVITY: ((SUBJECT, VISIT, STIMULUS, UNIT), activity, describe(ACTIVITY)),
            "stimulus_label": ((SUBJECT, STIMULUS), labels, describe("stimulus_label")),
            "unit_depth": (
                (SUBJECT, UNIT),
                depths,
                {
                    "units": "1",
                    "long_name": "depth of the unit's layer, 0 the first and 1 the last",
                },
            ),
        },
        coords={
            SUBJECT: np.array(names, dtype=object),
            "step": (VISIT, steps, describe("step")),
        },
    )


def _table(store: Store, members: np.ndarray, names: Sequence[str]) -> xr.Dataset:
    """Kind, and the columns that the training subjects have, of each subject."""
    subjects = store.subjects.load().isel({SUBJECT: members})
    columns: dict[str, tuple[str, np.ndarray]] = {
        KIND: (SUBJECT, kinds_of(subjects).astype(object)),
        RULE: (SUBJECT, subjects[RULE].to_numpy().astype(object)),
    }
    for name in HIDDEN[1:]:
        if name in subjects:
            columns[name] = (SUBJECT, subjects[name].to_numpy())
    return xr.Dataset(columns, coords={SUBJECT: np.array(names, dtype=object)})
