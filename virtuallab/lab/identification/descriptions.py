"""Descriptions of the subjects and the recordings that a decoder is trained on."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr

from virtuallab.lab.stages.experiment import Experiment
from virtuallab.probes import Probe
from virtuallab.probes.resolved import ResolvedProbe
from virtuallab.probes.schedule import visit_indices
from virtuallab.protocol.settings.plugin_spec import plain
from virtuallab.vocabulary import SUBJECT


def of_subjects(experiment: Experiment, members: Sequence[int]) -> Mapping[str, Any]:
    """Metadata of a decoder on its training subjects, by their indices."""
    table = experiment.store.subjects.isel({SUBJECT: list(members)})
    return {
        "title": experiment.plan.protocol.name,
        "question": experiment.plan.protocol.question,
        "architectures": _words(table["architecture"]),
        "tasks": _words(table["task"]),
        "learning_rates": _range(table["learning_rate"].values),
        "subjects": tuple(map(str, table[SUBJECT].values)),
        "n_subjects": len(members),
    }


def kinds_of(experiment: Experiment, members: Sequence[int]) -> np.ndarray:
    """Kind of each subject, by the names of its architecture and its task, as text (subject,).

    Settings of a network make no kind of their own, since they may be drawn for each subject. A
    recording made elsewhere is of another kind.
    """
    every = (experiment.plan.subjects[index] for index in members)
    return np.array([f"{each.architecture.name} {each.task.full_name}" for each in every])


def of_design(experiment: Experiment, probe: Probe) -> Mapping[str, Any]:
    """Metadata of a decoder on the recordings of its training subjects by a probe."""
    design = probe.resolved
    amounts = [probe.resolved.amounts(*sizes) for sizes in experiment.plan.sizes]
    layers = [len(design.in_recorded_layers(sizes[0])) for sizes in experiment.plan.sizes]
    visits = visit_indices(design.visits, len(experiment.store.plan["visits"]))
    return {
        "probe": json.loads(json.dumps(plain(probe))),
        "visits": tuple(map(int, visits)),
        "last_step": int(experiment.store.plan["visits"][visits[-1]]),
        "units": _range([each["units"] for each in amounts]),
        "stimuli": _range([each["stimuli"] for each in amounts]),
        "layers": _range(layers),
        "snr": design.noise.ratio,
        "noise": design.noise.given_by,
        "activity_units": _activity_units(design),
    }


def _activity_units(design: ResolvedProbe) -> str:
    if design.spikes is not None:
        return "spikes/s"
    return "1" if design.calcium is None else design.calcium.units


def _words(labels: xr.DataArray) -> tuple[str, ...]:
    return tuple(dict.fromkeys(str(label) for label in labels.values))


def _range(values: Sequence[int] | np.ndarray) -> tuple[Any, Any]:
    array = np.asarray(values)
    return array.min().item(), array.max().item()
