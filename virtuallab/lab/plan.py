"""What a protocol would take, before anything runs: subjects, cohorts, time, bytes.

The plan is also what makes a run repeatable: the partition into cohorts and the threads of a cohort
decide how sums are rounded, so they are written into the store when it is made, and whoever goes on
with it, with more workers or on another day, uses the same ones.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from virtuallab.console import TerminalTable, terminal_table
from virtuallab.errors import Fault, ProtocolError
from virtuallab.lab.planning.anatomy import Anatomy, anatomies
from virtuallab.lab.planning.confound_warnings import telltales
from virtuallab.lab.planning.costs import decoding_seconds, precision, recording_seconds
from virtuallab.lab.planning.learning_rate_warnings import rate_cautions
from virtuallab.lab.planning.network_limits import training_bytes
from virtuallab.lab.planning.stability_warnings import cautions
from virtuallab.lab.services.memory import free_disk, total_memory
from virtuallab.lab.services.resources import duration, megabytes
from virtuallab.lab.services.workers import torch_threads
from virtuallab.lab.stages.reference import NETWORKS
from virtuallab.protocol import Protocol, cohorts, expand
from virtuallab.subject.subject import Subject, kind
from virtuallab.subject.training.cohort_size import fastest_cohort

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
        What one rule alone has, and what looks as if it would diverge, learn nothing, or not fit
        into the machine.
    recording, decoding : float
        Estimated time of these stages in seconds; what takes twice as long is no surprise.
    precision : str
        What so many subjects tell of an accuracy.
    """

    subjects: tuple[Subject, ...]
    visits: tuple[int, ...]
    cohorts: tuple[tuple[int, ...], ...]
    seconds: float
    sizes: Mapping[str, int]
    workers: int
    cautions: tuple[str, ...] = ()
    recording: float = 0.0
    decoding: float = 0.0
    precision: str = ""

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

    Raises
    ------
    ProtocolError
        If a cohort that it fixes does not fit into memory.
    """
    subjects = expand(protocol)
    workers = workers or cores()
    visits = protocol.subjects.visit_steps
    groups = anatomies(subjects)
    kinds: dict[tuple[Any, ...], list[int]] = {}
    for index, subject in enumerate(subjects):
        kinds.setdefault(kind(subject), []).append(index)
    fixed = protocol.subjects.cohort if isinstance(protocol.subjects.cohort, int) else None
    sizes: dict[int, int] = {}
    seconds = 0.0
    for members in kinds.values():
        with torch_threads(THREADS):
            kin = tuple(subjects[i] for i in members)
            most = total_memory() // (workers * training_bytes(kin[0], len(visits)))
            if fixed and min(fixed, len(kin)) > most:
                raise ProtocolError([_too_large(protocol, kin[0], most)])
            trial = fastest_cohort(kin, size=fixed, most=most)
        sizes.update(dict.fromkeys(members, trial.size))
        seconds += trial.seconds * sum(subjects[i].steps for i in members)
    recording = recording_seconds(groups, protocol.probes, len(visits))
    decoding = decoding_seconds(protocol.analyses, subjects, tuple(protocol.probes), len(visits))
    stored = _sizes(protocol, groups)
    return Plan(
        subjects=subjects,
        visits=visits,
        cohorts=cohorts(subjects, sizes),
        seconds=seconds / workers,
        sizes=stored,
        workers=workers,
        cautions=(
            *telltales(protocol, subjects),
            *rate_cautions(subjects),
            *cautions(subjects),
            *_disk(sum(stored.values())),
        ),
        recording=recording / workers,
        decoding=decoding / workers,
        precision=precision(subjects),
    )


def _too_large(protocol: Protocol, subject: Subject, most: int) -> Fault:
    words = (
        f"so many subjects of {subject.architecture.name} do not fit into memory together; about "
        f"{most:,} do. Lower it."
    )
    return protocol.fault("subjects.cohort", words)


def _disk(needed: int) -> tuple[str, ...]:
    free = free_disk(Path("runs"))
    if needed <= free:
        return ()
    words = f"the store takes up to {megabytes(needed)}, and {megabytes(free)} are free"
    return (f"{words}. Record less, lower subjects.visits, or take another disk with --store.",)


def _sizes(protocol: Protocol, groups: Sequence[Anatomy]) -> dict[str, int]:
    visits = len(protocol.subjects.visit_steps)
    sizes: dict[str, int] = {"snapshots": 0, "references": 0}
    for anatomy in groups:
        members = len(anatomy.members)
        sizes["snapshots"] += members * visits * anatomy.layout().size * _BYTES
        sizes["references"] += NETWORKS * anatomy.layout().size * _BYTES
        tissue = anatomy.specimen()
        units = {layer: tissue.responses[layer].shape[-1] for layer in tissue.layers}
        synapses = {layer: tissue.weights[layer].shape[-1] for layer in tissue.layers}
        n_stimuli = len(anatomy.task.stimuli().labels)
        for name, probe in protocol.probes.items():
            if probe.keep == "recording":
                each = probe.resolved.n_values(units, synapses, visits, n_stimuli)
                node = f"recordings/{name}"
                sizes[node] = sizes.get(node, 0) + members * each * _BYTES
    return sizes


def describe(plan: Plan) -> TerminalTable:
    """Lay the plan out as a table for the terminal."""
    lines = terminal_table("Plan", header=False)
    lengths = sorted({len(cohort) for cohort in plan.cohorts})
    span = f"{lengths[0]}" if len(lengths) == 1 else f"{lengths[0]} to {lengths[-1]}"
    lines.add_row("subjects", str(len(plan.subjects)))
    lines.add_row("cohorts", f"{len(plan.cohorts)} of {span} subjects, {plan.workers} at once")
    lines.add_row("training", f"about {duration(plan.seconds)} (from trial steps)")
    if plan.recording:
        lines.add_row("recording", f"roughly {duration(plan.recording)}")
    if plan.decoding:
        lines.add_row("decoding", f"roughly {duration(plan.decoding)}")
    if plan.precision:
        lines.add_row("precision", plan.precision)
    for node, size in plan.sizes.items():
        lines.add_row(node, f"{megabytes(size)} before compression")
    for caution in plan.cautions:
        lines.add_row("warning", caution)
    return lines
