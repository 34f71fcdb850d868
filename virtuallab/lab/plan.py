"""What a protocol would take, before anything runs: subjects, cohorts, time, bytes.

The plan is also what makes a run repeatable: the partition into cohorts and the threads of a cohort
decide how sums are rounded, so they are written into the store when it is made, and whoever goes on
with it, with more workers or on another day, uses the same ones.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from virtuallab.console import Framed, framed
from virtuallab.lab.anatomy import Anatomy, anatomies
from virtuallab.lab.caution import cautions
from virtuallab.lab.cost import duration, megabytes
from virtuallab.lab.workers import torch_threads
from virtuallab.protocol import Protocol, cohorts, expand, visit_steps
from virtuallab.subject.sizing import measure
from virtuallab.subject.subject import Subject, kind

_BYTES = 4  # everything measured is stored in single precision
THREADS = 1  # of one cohort: two cohorts at once beat one cohort on two cores


@dataclass(frozen=True)
class Plan:
    """A protocol laid out as work.

    Parameters
    ----------
    subjects : tuple of Subject
    visits : tuple of int
        Training steps at which subjects are preserved.
    cohorts : tuple of tuple of int
        Who trains together, as indices of subjects.
    seconds : float
        Estimated training time with ``workers`` at once, from a few trial steps of each make.
    sizes : mapping from node to int
        Bytes each part of the store will take, before compression.
    workers : int
    cautions : tuple of str
        What looks as if it would diverge.
    """

    subjects: tuple[Subject, ...]
    visits: tuple[int, ...]
    cohorts: tuple[tuple[int, ...], ...]
    seconds: float
    sizes: Mapping[str, int]
    workers: int
    cautions: tuple[str, ...] = ()

    def stored(self) -> dict[str, Any]:
        """Return the part that decides the bytes of the result."""
        return {
            "visits": list(self.visits),
            "cohorts": [list(cohort) for cohort in self.cohorts],
            "threads": THREADS,
        }


def cores() -> int:
    """Cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def make(protocol: Protocol, *, workers: int | None = None) -> Plan:
    """Lay a protocol out as work; trains a few trial steps to know how long it takes.

    Parameters
    ----------
    protocol : Protocol
    workers : int, optional
        Cohorts at once; as many as there are cores if not given.
    """
    subjects = expand(protocol)
    workers = workers or cores()
    kinds: dict[tuple[Any, ...], list[int]] = {}
    for index, subject in enumerate(subjects):
        kinds.setdefault(kind(subject), []).append(index)
    fixed = protocol.subjects.cohort if isinstance(protocol.subjects.cohort, int) else None
    sizes: dict[int, int] = {}
    seconds = 0.0
    for members in kinds.values():
        with torch_threads(THREADS):
            trial = measure(tuple(subjects[i] for i in members), size=fixed)
        sizes.update(dict.fromkeys(members, trial.size))
        seconds += trial.seconds * sum(subjects[i].steps for i in members)
    return Plan(
        subjects=subjects,
        visits=visit_steps(protocol),
        cohorts=cohorts(subjects, sizes),
        seconds=seconds / workers,
        sizes=_sizes(protocol, anatomies(subjects)),
        workers=workers,
        cautions=cautions(subjects),
    )


def _sizes(protocol: Protocol, groups: Sequence[Anatomy]) -> dict[str, int]:
    visits = len(visit_steps(protocol))
    sizes: dict[str, int] = {"snapshots": 0}
    for anatomy in groups:
        members = len(anatomy.members)
        sizes["snapshots"] += members * visits * anatomy.layout().size * _BYTES
        tissue = anatomy.specimen()
        units = {layer: tissue.responses[layer].shape[-1] for layer in tissue.layers}
        synapses = {layer: tissue.weights[layer].shape[-1] for layer in tissue.layers}
        n_stimuli = len(anatomy.task.stimuli().labels)
        for name, probe in protocol.probes.items():
            if probe.keep == "recording":
                each = probe.values(units, synapses, visits, n_stimuli)
                node = f"recordings/{name}"
                sizes[node] = sizes.get(node, 0) + members * each * _BYTES
    return sizes


def describe(plan: Plan) -> Framed:
    """Lay the plan out as a table for the terminal."""
    lines = framed("Plan", header=False)
    lengths = sorted({len(cohort) for cohort in plan.cohorts})
    span = f"{lengths[0]}" if len(lengths) == 1 else f"{lengths[0]} to {lengths[-1]}"
    lines.add_row("subjects", str(len(plan.subjects)))
    lines.add_row("cohorts", f"{len(plan.cohorts)} of {span} subjects, {plan.workers} at once")
    lines.add_row("training", f"about {duration(plan.seconds)} (from trial steps)")
    for node, size in plan.sizes.items():
        lines.add_row(node, f"{megabytes(size)} before compression")
    for caution in plan.cautions:
        lines.add_row("step limit", caution)
    return lines
