"""Groups of networks with one architecture and task, whose recordings share one array.

Subjects with the same architecture and the same task have the same layers, units and synapses; each
such group has a node of its own under ``/snapshots`` and ``/recordings/<probe>``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from virtuallab.fields import all_settings, identifying_settings
from virtuallab.probes.preparation import Outline
from virtuallab.subject.architecture import Architecture
from virtuallab.subject.network.parameter_layout import ParameterLayout, parameter_layout
from virtuallab.subject.preparation import PreparedSubject, prepare
from virtuallab.subject.subject import Subject
from virtuallab.subject.task import Task

_LARGE = 2**20  # bytes of one state
_PREPARED = 2**29  # bytes that one preparation may take
_BYTES = 4
N_REFERENCES = 8  # untrained reference networks of each group, on which probes are calibrated


@dataclass(frozen=True)
class NetworkGroup:
    """One architecture built for one task.

    Parameters
    ----------
    name : str
        Its node in the store: the architecture's name, with the task's where there are several.
    architecture, task
        What it is built from.
    members : tuple of int
        Indices of its subjects.
    """

    name: str
    architecture: Architecture
    task: Task
    members: tuple[int, ...]

    @property
    def identity(self) -> str:
        """All that is decided about it, in one text; its name depends on what else there is."""
        return f"{_canonical(self.architecture)} {_canonical(self.task)}"

    def layout(self) -> ParameterLayout:
        """Where each parameter lies in a subject's preserved state."""
        return parameter_layout(self.architecture, self.task)

    @cached_property
    def layer_sizes(self) -> tuple[dict[str, int], dict[str, int]]:
        """Units, and synapses, of each layer."""
        found = self._outline
        return dict(found.units), dict(found.synapses)

    @cached_property
    def _outline(self) -> Outline:
        return Outline.of(self.untrained(), 1, self.task.stimuli().labels.numpy())

    @property
    def has_large_states(self) -> bool:
        """True if a preserved state is so large that each visit is stored by itself."""
        return _BYTES * self.layout().size > _LARGE

    def outline(self, visits: int) -> Outline:
        """Sizes of its subjects, which a probe can know before they are trained."""
        return replace(self._outline, visits=visits)

    def part_size(self, visits: int) -> tuple[int, int]:
        """Number of visits, and of stimuli, that one preparation may hold.

        All of them, unless the network is large. It depends on the network alone, not on the
        machine: how many are prepared together decides how sums are rounded.

        Parameters
        ----------
        visits : int
            Of a subject.
        """
        found, stimuli = self._outline, max(self.n_stimuli, 1)
        responses = sum(found.units.values())
        # Of a response its value, torch's graph and a copy; of a weight the state and two copies.
        each = _BYTES * (2 * responses + sum(found.inputs.values()))
        weights = _BYTES * 3 * self.layout().size
        at_once = _PREPARED // (weights + stimuli * each)
        if at_once:
            return min(visits, at_once), stimuli
        return 1, min(stimuli, max(1, max(_PREPARED - weights, _PREPARED // 4) // each))

    @property
    def n_stimuli(self) -> int:
        """Stimuli that are shown at a visit."""
        return len(self.task.stimuli().labels)

    def untrained(self) -> PreparedSubject:
        """An untrained preparation of it, seen by one stimulus: its layers, units and synapses."""
        state = np.zeros((1, self.layout().size), dtype=np.float32)
        return prepare(self.architecture, self.task, state, np.array([0]))


def network_groups(subjects: Sequence[Subject]) -> tuple[NetworkGroup, ...]:
    """Group subjects by architecture and task, in the order in which they first appear."""
    architectures, tasks = architecture_labels(subjects), task_labels(subjects)
    several_tasks = len(set(tasks)) > 1
    groups: dict[str, list[int]] = {}
    for index, (architecture, task) in enumerate(zip(architectures, tasks, strict=True)):
        # Names of files cannot have a colon on every system; architectures of users have one.
        label = architecture.replace(":", ".")
        name = f"{label}-{task}" if several_tasks else label
        groups.setdefault(name, []).append(index)
    return tuple(
        NetworkGroup(
            name, subjects[members[0]].architecture, subjects[members[0]].task, tuple(members)
        )
        for name, members in groups.items()
    )


def architecture_labels(subjects: Sequence[Subject]) -> tuple[str, ...]:
    """One name for each subject's architecture: numbered where two share a plug-in's name."""
    return plugin_labels([subject.architecture for subject in subjects])


def task_labels(subjects: Sequence[Subject]) -> tuple[str, ...]:
    """One name for each subject's task: numbered where two share a full name."""
    return plugin_labels([subject.task for subject in subjects])


def plugin_labels(plugins: Sequence[Any]) -> tuple[str, ...]:
    """One name for each dataclass with a name: numbered where two with other settings share it."""
    texts = [_canonical(plugin) for plugin in plugins]
    names = [getattr(plugin, "full_name", plugin.name) for plugin in plugins]
    # Where a setting is drawn, there are as many variants as subjects: each is looked up.
    variants: dict[str, dict[str, int]] = {}
    for name, text in zip(names, texts, strict=True):
        known = variants.setdefault(name, {})
        known.setdefault(text, len(known) + 1)
    return tuple(
        name if len(variants[name]) == 1 else f"{name}-{variants[name][text]}"
        for name, text in zip(names, texts, strict=True)
    )


def union_of_layers(depths: Mapping[str, Sequence[str]]) -> list[str]:
    """Return the layers of all groups, from input to output, by mean depth.

    >>> union_of_layers({"knet4": ["conv1", "fc4"], "mlp": ["fc1", "fc2", "fc3"]})
    ['conv1', 'fc1', 'fc2', 'fc3', 'fc4']
    """
    found: dict[str, list[float]] = {}
    for layers in depths.values():
        for index, layer in enumerate(layers):
            found.setdefault(layer, []).append(index / max(len(layers) - 1, 1))
    return sorted(found, key=lambda layer: (float(np.mean(found[layer])), layer))


def _canonical(plugin: Any) -> str:
    # Without settings that were added at their defaults: random streams belong to this text.
    settings = identifying_settings(type(plugin), all_settings(plugin))
    return json.dumps([plugin.name, settings], sort_keys=True)
