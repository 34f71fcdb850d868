"""The table of subjects: who they are, as coordinates every stored node carries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import xarray as xr

from virtuallab.lab.planning.network_group import (
    architecture_labels,
    plugin_labels,
    task_labels,
)
from virtuallab.subject.subject import Subject
from virtuallab.vocabulary import (
    CONSTANT,
    DIVERGED,
    LEARNING_RATE_FACTOR,
    PAIR,
    PENDING,
    RULE,
    SHUFFLED,
    SINGLE,
    STATUS,
    SUBJECT,
    VISIT,
    describe,
    describe_flags,
    subject_name,
)

SEEDS = ("model_seed", "data_seed")
# What an analysis groups and splits by; it is repeated as coordinates in the nodes it reads.
DESIGN = (
    RULE,
    "architecture",
    "family",
    "task",
    "loss",
    "curriculum",
    "schedule",
    "start_from",
    "optimizer",
    "learning_rate",
    LEARNING_RATE_FACTOR,
    "batch_size",
    "replicate",
    *SEEDS,
    PAIR,
)


def subject_names(count: int) -> list[str]:
    """``sub-0001`` and so on, wide enough for all."""
    return [subject_name(index, count) for index in range(count)]


def columns_of(subjects: Sequence[Subject]) -> dict[str, np.ndarray]:
    """All that was decided about each subject before it learned anything, by column.

    Returns
    -------
    dict
        Values over subjects: their rule's label, architecture and the family of it, task, loss,
        optimizer, batch size, steps, replicate, key, and each number of their rule and optimizer
        under its own name, of an optimizer of their backward weights with ``feedback_`` before it
        (NaN where a subject has no such number). Where some are not at the default also the
        curriculum, the schedule, the precision and the pretraining; in a paired design also the
        number of the pair; where seeds are crossed also the model seed and the data seed. Where
        architectures have factors of the learning rates, also these.
    """
    columns: dict[str, Any] = {
        RULE: [subject.label for subject in subjects],
        "architecture": list(architecture_labels(subjects)),
        "family": [s.architecture.family or s.architecture.name for s in subjects],
        "task": list(task_labels(subjects)),
        "loss": [subject.loss for subject in subjects],
        "plasticity": [subject.rule.name for subject in subjects],
        "optimizer": [subject.optimizer.name for subject in subjects],
        "batch_size": np.array([subject.batch_size for subject in subjects], dtype=np.int64),
        "steps": np.array([subject.steps for subject in subjects], dtype=np.int64),
        "replicate": np.array([subject.replicate for subject in subjects], dtype=np.int64),
        "key": [subject.key for subject in subjects],
    }
    # Only where there is one other than the default, as in stores from before these were settings.
    for name, usual in (("curriculum", SHUFFLED), ("schedule", CONSTANT)):
        plugins = [getattr(subject, name) for subject in subjects]
        if any(plugin.name != usual for plugin in plugins):
            columns[name] = list(plugin_labels(plugins))
    if any(subject.precision != SINGLE for subject in subjects):
        columns["precision"] = [subject.precision for subject in subjects]
    starts = [subject.start_from for subject in subjects]
    if any(start is not None for start in starts):
        columns["start_from"] = list(plugin_labels(starts))
    if any(subject.paired for subject in subjects):
        number = {pair: n for n, pair in enumerate(dict.fromkeys(s.pair for s in subjects))}
        columns[PAIR] = np.array([number[s.pair] for s in subjects], dtype=np.int64)
    factors = np.array([subject.learning_rate_factor for subject in subjects])
    if (factors != 1).any():
        columns[LEARNING_RATE_FACTOR] = factors
    for name in SEEDS:
        if all(getattr(subject, name) is not None for subject in subjects):
            columns[name] = np.array([getattr(s, name) for s in subjects], dtype=np.int64)
    settings = [_numbers(subject) for subject in subjects]
    for name in sorted({name for numbers in settings for name in numbers}):
        columns[name] = np.array([numbers.get(name, np.nan) for numbers in settings])
    return {name: _column(values) for name, values in columns.items()}


def describe_subjects(subjects: Sequence[Subject]) -> xr.Dataset:
    """Return the table of :func:`columns_of` subjects, dims (subject)."""
    columns = columns_of(subjects)
    kinds = {(type(s.optimizer), type(s.feedback_optimizer)): s for s in subjects}
    of_optimizer = {name for each in kinds.values() for name in _numbers_of_optimizers(each)}
    part = {name: {"part": "optimizer"} for name in of_optimizer}
    return xr.Dataset(
        {
            name: (SUBJECT, values, {**describe(name), **part.get(name, {})})
            for name, values in columns.items()
        },
        coords={SUBJECT: np.array(subject_names(len(subjects)), dtype=object)},
    )


def _numbers(subject: Subject) -> dict[str, float]:
    return {**_numeric(asdict(subject.rule)), **_numbers_of_optimizers(subject)}


def _numbers_of_optimizers(subject: Subject) -> dict[str, float]:
    own = asdict(subject.feedback_optimizer) if subject.feedback_optimizer else {}
    return _numeric(
        {**asdict(subject.optimizer), **{f"feedback_{name}": value for name, value in own.items()}}
    )


def _numeric(settings: Mapping[str, Any]) -> dict[str, float]:
    """Settings that are numbers; yes and no are 1 and 0."""
    return {
        name: float(value) for name, value in settings.items() if isinstance(value, int | float)
    }


def _column(values: Any) -> np.ndarray:
    text = isinstance(values[0], str)
    return np.array(values, dtype=object) if text else np.asarray(values)


def design_coordinates(subjects: xr.Dataset) -> dict[str, xr.DataArray]:
    """Return the columns of :data:`DESIGN` that a node carries as coordinates of its subjects."""
    return {name: subjects[name] for name in DESIGN if name in subjects}


def outcomes(subjects: xr.Dataset, records: Mapping[int, Mapping[str, Any]]) -> xr.Dataset:
    """Add to the table what became of each subject, from the records of the training stage.

    Parameters
    ----------
    subjects : xr.Dataset
        The table before learning, dims (subject).
    records : mapping from subject index to record
        A record has ``status`` and ``diverged_at``.
    """
    count = subjects.sizes[SUBJECT]
    status = np.full(count, PENDING, dtype=np.int8)
    diverged_at = np.full(count, -1, dtype=np.int64)
    for index, record in records.items():
        status[index] = record["status"]
        if record["status"] == DIVERGED:
            diverged_at[index] = record["diverged_at"]
    return subjects.assign(
        status=(SUBJECT, status, {**describe("status"), **describe_flags(STATUS)}),
        diverged_at=(SUBJECT, diverged_at, describe("diverged_at")),
    )


def truth(
    subjects: xr.Dataset,
    records: Mapping[int, Mapping[str, Any]],
    layers: Sequence[str],
    layers_of: Mapping[int, Sequence[str]],
    visits: xr.Dataset,
) -> xr.Dataset:
    """Collect what no experimenter can see, from the records of the training stage.

    Parameters
    ----------
    subjects : xr.Dataset
        The table of subjects.
    records : mapping from subject index to record
        A record's ``truth`` maps a name to a list over visits, or to one over visits and layers.
    layers : sequence of str
        Every layer of every group; a subject without one has NaN there.
    layers_of : mapping from subject index to its own layers
    visits : xr.Dataset
        Coordinates of the visits: ``visit``, ``step``, and ``epoch`` where known.

    Returns
    -------
    xr.Dataset
        Dims (subject, visit) and (subject, visit, layer), float32; NaN where nothing was measured.
        ``layer_depth`` tells in which order a subject's own layers lie, 0 the first and 1 the last.
    """
    count, n_visits = subjects.sizes[SUBJECT], visits.sizes[VISIT]
    variables: dict[str, tuple[tuple[str, ...], np.ndarray, dict[str, str]]] = {}
    position = {layer: index for index, layer in enumerate(layers)}
    for index, record in records.items():
        for name, values in record.get("truth", {}).items():
            measured = np.array(values, dtype=np.float32)
            per_layer = measured.ndim == 2
            shape = (count, n_visits, len(layers)) if per_layer else (count, n_visits)
            dims = (SUBJECT, VISIT, "layer") if per_layer else (SUBJECT, VISIT)
            if name not in variables:
                variables[name] = (dims, np.full(shape, np.nan, dtype=np.float32), describe(name))
            target = variables[name][1]
            if per_layer:
                target[index][:, [position[layer] for layer in layers_of[index]]] = measured
            else:
                target[index] = measured
    depth = np.full((count, len(layers)), np.nan, dtype=np.float32)
    for index, own in layers_of.items():
        depth[index, [position[layer] for layer in own]] = np.linspace(0, 1, len(own))
    coords: dict[Any, Any] = {
        SUBJECT: subjects[SUBJECT],
        "layer": np.array(layers, dtype=object),
        "layer_depth": ((SUBJECT, "layer"), depth, describe("layer_depth")),
        **visits.coords,
        **design_coordinates(subjects),
    }
    return xr.Dataset(variables, coords=coords)
