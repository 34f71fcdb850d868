"""Costs of a plan: time of each stage, bytes of the store, and warnings before anything runs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from virtuallab.console import TerminalTable, terminal_table
from virtuallab.errors import Fault, ProtocolError
from virtuallab.lab.planning.confound_warnings import confound_warnings
from virtuallab.lab.planning.device_warnings import device_warnings
from virtuallab.lab.planning.durations import decoding_seconds, precision, recording_seconds
from virtuallab.lab.planning.learning_rate_warnings import learning_rate_warnings
from virtuallab.lab.planning.network_group import N_REFERENCES, NetworkGroup
from virtuallab.lab.planning.network_limits import training_bytes
from virtuallab.lab.planning.plan import THREADS, Costs, Plan
from virtuallab.lab.planning.stability_warnings import stability_warnings
from virtuallab.lab.services.resources import cores, duration, free_disk, megabytes, total_memory
from virtuallab.lab.services.workers import on_threads, torch_threads
from virtuallab.protocol import cohorts
from virtuallab.subject.subject import Subject, kind, pretrained_alone
from virtuallab.subject.training.cohort_size import fastest_cohort
from virtuallab.text import count_noun
from virtuallab.vocabulary import SINGLE

_FORWARD = 1 / 3  # of a training step is the forward pass
_BYTES = 4  # everything measured is stored in single precision


def measure_costs(plan: Plan, workers: int | None = None) -> Plan:
    """Return a plan with its costs; trains a few trial steps to know how long training takes.

    Parameters
    ----------
    plan : Plan
    workers : int, optional
        Cohorts at once; as many as there are cores if not given.

    Raises
    ------
    ProtocolError
        If a cohort of the size that the protocol fixes does not fit into memory.
    """
    workers = workers or cores()
    protocol, subjects, n_visits = plan.protocol, plan.subjects, len(plan.visits)
    lengths, training = _cohort_sizes(plan, workers)
    probes = protocol.probes
    recording = recording_seconds(plan.network_groups, probes, n_visits)
    decoding = decoding_seconds(protocol.analyses, subjects, tuple(probes), n_visits)
    sizes = _store_sizes(plan)
    warnings = (
        *confound_warnings(protocol, subjects),
        *learning_rate_warnings(subjects, workers),
        *stability_warnings(subjects),
        *device_warnings(plan),
        *_disk_warnings(sum(sizes.values())),
    )
    costs = Costs(
        cohorts=cohorts(subjects, lengths),
        workers=workers,
        training=training / workers,
        recording=recording / workers,
        decoding=decoding / workers,
        sizes=sizes,
        precision=precision(subjects),
        warnings=warnings,
    )
    return replace(plan, costs=costs)


def _cohort_sizes(plan: Plan, workers: int) -> tuple[dict[int, int], float]:
    """Return the fastest size of a cohort for each subject, and the seconds of one worker."""
    wanted = plan.protocol.subjects.cohort
    fixed = wanted if isinstance(wanted, int) else None
    kinds: dict[tuple[Any, ...], list[int]] = {}
    for index, subject in enumerate(plan.subjects):
        kinds.setdefault(kind(subject), []).append(index)
    group_of = {index: group for group in plan.network_groups for index in group.members}

    def measured(members: list[int]) -> tuple[int, float]:
        """Size of the cohorts of one kind, and seconds in which one worker trains all of them."""
        subjects = tuple(plan.subjects[index] for index in members)
        kept = _kept_visits(plan, group_of[members[0]])
        most = total_memory() // (workers * training_bytes(subjects[0], kept))
        if fixed and min(fixed, len(subjects)) > most:
            raise ProtocolError([_too_large(plan, subjects[0], most)])
        trial = fastest_cohort(subjects, size=fixed, most=most)
        of_visits = len(plan.visits) * _steps_of_a_visit(subjects[0])
        seconds = trial.seconds * sum(subject.steps + of_visits for subject in subjects)
        return trial.size, seconds + _pretraining_seconds(subjects, trial.size)

    # As many at once as in training, which slow one another.
    with torch_threads(THREADS):
        found = on_threads(measured, kinds.values(), workers)
    sizes: dict[int, int] = {}
    for members, (size, _) in zip(kinds.values(), found, strict=True):
        sizes.update(dict.fromkeys(members, size))
    return sizes, sum(seconds for _, seconds in found)


def _steps_of_a_visit(subject: Subject) -> float:
    """Number of training steps that take as long as the evaluation at a visit, roughly."""
    task = subject.task
    views = 2 if task.targets == "views" else 1
    images = views * task.validation_images
    if task.measure == "read-out accuracy":
        images += task.train_images + task.validation_images
    return images * _FORWARD / (views * subject.batch_size)


def _kept_visits(plan: Plan, group: NetworkGroup) -> int:
    """Return the number of visits of which a subject's states are in memory at once."""
    visits = len(plan.visits)
    if not plan.protocol.subjects.preserve:
        return group.part_size(visits)[0]
    return 1 if group.has_large_states else visits


def _pretraining_seconds(subjects: Sequence[Subject], size: int) -> float:
    """Return the seconds of one worker for all training before visit 0."""
    learners = [each for each in (subject.pretrained for subject in subjects) if each]
    if not learners:
        return 0.0
    size = 1 if pretrained_alone(subjects[0]) else size
    trial = fastest_cohort(learners, size=size, most=size)
    return trial.seconds * sum(each.steps for each in learners)


def _too_large(plan: Plan, subject: Subject, most: int) -> Fault:
    words = (
        f"so many subjects of {subject.architecture.name} do not fit into memory together; about "
        f"{most:,} do. Lower it."
    )
    return plan.protocol.fault("subjects.cohort", words)


def _disk_warnings(needed: int) -> Iterator[str]:
    free = free_disk(Path("runs"))
    if needed > free:
        words = f"the store takes up to {megabytes(needed)}, and {megabytes(free)} are free"
        yield f"{words}. Record less, lower subjects.visits, or take another disk with --store."


def _store_sizes(plan: Plan) -> dict[str, int]:
    """Return the bytes of each part of the store, before compression."""
    preserve = plan.protocol.subjects.preserve
    sizes: dict[str, int] = {"snapshots": 0} if preserve else {}
    sizes["references"] = 0
    for group, layer_sizes in zip(plan.network_groups, plan.sizes, strict=True):
        members, parameters = len(group.members), group.layout().size
        if preserve:
            sizes["snapshots"] += members * len(plan.visits) * parameters * _BYTES
        sizes["references"] += N_REFERENCES * parameters * _BYTES
        for name, probe in plan.protocol.probes.items():
            if probe.keep == "recording":
                node = f"recordings/{name}"
                values = members * probe.resolved.n_values(*layer_sizes)
                sizes[node] = sizes.get(node, 0) + values * _BYTES
    return sizes


def costs_table(plan: Plan) -> TerminalTable:
    """Return the table of a plan and its costs for the terminal.

    Parameters
    ----------
    plan : Plan
        With its costs.
    """
    costs = plan.costs
    assert costs is not None
    table = terminal_table("Plan", header=False)
    lengths = sorted({len(cohort) for cohort in costs.cohorts})
    span = f"{lengths[0]}" if len(lengths) == 1 else f"{lengths[0]} to {lengths[-1]}"
    table.add_row("subjects", str(len(plan.subjects)))
    crossed = plan.protocol.subjects.seeds
    if crossed is not None:
        models = count_noun(crossed.model, "model seed")
        crossing = f"{models} x {count_noun(crossed.data, 'data seed')}"
        table.add_row("seeds", f"{crossing}, the same for all rules of a network and a task")
    if plan.protocol.subjects.paired:
        shared = ", ".join(plan.protocol.subjects.paired).replace("_", " ")
        table.add_row("paired", f"{shared}: the same in subject r of every rule")
    subjects = "subject" if span == "1" else "subjects"
    table.add_row("cohorts", f"{len(costs.cohorts)} of {span} {subjects}, {costs.workers} at once")
    if not plan.protocol.subjects.preserve:
        table.add_row("preserved", "no; subjects are recorded during training, and only then")
    if plan.protocol.subjects.precision != SINGLE:
        table.add_row("arithmetic", "mixed precision in training: bfloat16 and float32")
    steps = sorted({s.start_from.steps for s in plan.subjects if s.start_from is not None})
    if steps:
        span = f"{steps[0]:,}" if len(steps) == 1 else f"{steps[0]:,} to {steps[-1]:,}"
        table.add_row("pretraining", f"{span} steps of each subject before visit 0")
    table.add_row("training", f"about {duration(costs.training)} (from trial steps)")
    if costs.recording:
        table.add_row("recording", f"roughly {duration(costs.recording)}")
    if costs.decoding:
        table.add_row("decoding", f"roughly {duration(costs.decoding)}")
    if costs.precision:
        table.add_row("precision", costs.precision)
    for node, size in costs.sizes.items():
        table.add_row(node, f"{megabytes(size)} before compression")
    for warning in costs.warnings:
        table.add_row("warning", warning)
    return table
