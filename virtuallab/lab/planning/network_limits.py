"""Check that the networks of a protocol can be built and trained, before anything is allocated."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from virtuallab.errors import UserError
from virtuallab.lab.services.resources import total_memory
from virtuallab.protocol import PluginSpec, Protocol
from virtuallab.protocol.settings.distributions import Distribution, Grid
from virtuallab.subject.network.dry_run import dry_run
from virtuallab.subject.network.grouping import population_problem
from virtuallab.subject.network.parameter_layout import parameter_layout
from virtuallab.subject.subject import Subject
from virtuallab.vocabulary import MIXED, SINGLE

MOST = 1_000  # different networks of one protocol: each of them is built to be checked
_MOST_WEIGHTS = 200_000_000  # of one network: 800 MB at every visit
_COPIES = 4  # of the weights, while a network learns: the weights, their steps, what returns them
_BYTES = 4
_SIGNAL_BYTES = {SINGLE: 4, MIXED: 2}


def network_faults(found: Protocol, subjects: Sequence[Subject]) -> dict[str, str]:
    """Return what is wrong with the networks and their images, by place in the protocol.

    Parameters
    ----------
    found : Protocol
    subjects : sequence of Subject
        All of its subjects.

    Returns
    -------
    dict
        Place -> message. Of one place the first fault is told.
    """
    faults: dict[str, str] = {}
    tasks = {subject.task: None for subject in subjects}
    for task in tasks:
        try:
            task.stimuli()
        except UserError as error:
            faults.setdefault(
                f"subjects.tasks{entry_index(found.subjects.tasks, task)}", str(error)
            )
    if faults:
        return faults
    makes: dict[tuple[Any, Any], int] = {}
    for subject in subjects:
        make = (subject.architecture, subject.task)
        makes[make] = min(makes.get(make, subject.batch_size), subject.batch_size)
    if len(makes) > MOST:
        words = f"these are {len(makes):,} different networks; at most {MOST:,} are possible."
        return {"subjects.architectures": words}
    most = min(_MOST_WEIGHTS, total_memory() // (_COPIES * _BYTES))
    for (architecture, task), batch in makes.items():
        place = f"subjects.architectures{entry_index(found.subjects.architectures, architecture)}"
        problem = None
        try:
            traced = dry_run(architecture, task, most)
            if batch >= traced.fewest:
                parameter_layout(architecture, task)
                problem = population_problem(architecture, task)
        except UserError as error:
            faults.setdefault(place, str(error))
            continue
        if problem and found.subjects.cohort != 1:
            faults.setdefault(place, problem)
        if batch < traced.fewest:
            size = " x ".join(map(str, task.stimulus_shape[1:]))
            faults.setdefault(
                "subjects.batch_size",
                f"{traced.normalised} normalises over the batch and needs two images at least on "
                f"{size}.",
            )
    return faults


def training_bytes(subject: Subject, kept: int) -> int:
    """Return the memory that one subject takes while it learns, in a cohort of any size.

    Its weights with what changes them, the states that are kept for a time, and the responses to a
    batch with their gradients.

    Parameters
    ----------
    subject : Subject
    kept : int
        Visits of which the states are in memory at once.
    """
    traced = dry_run(subject.architecture, subject.task, _MOST_WEIGHTS)
    weights = (_COPIES + kept) * traced.weights
    signals = 2 * subject.batch_size * traced.activities
    return _BYTES * weights + _SIGNAL_BYTES[subject.precision] * signals


def entry_index(specs: Sequence[PluginSpec], plugin: Any) -> str:
    """Return the index of the entry that describes a plug-in, in brackets.

    Parameters
    ----------
    specs : sequence of PluginSpec
    plugin : object
    """
    for index, spec in enumerate(specs):
        if spec.plugin is type(plugin) and all(
            _holds(value, getattr(plugin, name)) for name, value in spec.settings.items()
        ):
            return f"[{index}]"
    return ""


def _holds(written: Any, value: Any) -> bool:
    if isinstance(written, Grid):
        return value in written.values
    return isinstance(written, Distribution) or written == value
