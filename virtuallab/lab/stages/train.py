"""First stage: train every cohort, and preserve or record each subject at each visit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from virtuallab.lab.planning.plan import Plan
from virtuallab.lab.services.progress import Advance
from virtuallab.lab.services.workers import Stop, run_all, torch_threads
from virtuallab.lab.stages.nodes import TRAIN
from virtuallab.lab.stages.probe_recorder import ProbeRecorder
from virtuallab.lab.stages.snapshots import SubjectStates
from virtuallab.lab.stages.subject_recorder import SubjectRecorder
from virtuallab.store import Store
from virtuallab.subject.subject import Cohort, Subject
from virtuallab.subject.training.outcome import TrainingOutcome, Visit
from virtuallab.subject.training.trainer import train
from virtuallab.vocabulary import DIVERGED, DONE


def train_subjects(
    plan: Plan,
    store: Store,
    workers: int,
    device: str,
    advance: Advance,
    recorder: ProbeRecorder | None = None,
) -> None:
    """Train the cohorts of which a subject is missing, and store their states and evaluations.

    A cohort is trained whole even if only some of its subjects are missing: rounding depends on
    the subjects that train together, and the stored bytes must not depend on interruptions.

    Parameters
    ----------
    plan : Plan
    store : Store
        Its snapshot nodes are declared, unless there is a recorder. Its plan has the cohorts, and
        the torch threads of each.
    workers : int
        Cohorts at once; the result does not depend on it.
    device : str
        Where to train, ``"cpu"`` or ``"cuda"``.
    advance : callable
        Called with the number of subjects stored, each time.
    recorder : ProbeRecorder, optional
        Records the subjects while they are trained; their states are then not stored. A subject
        that some of its probes have not recorded is missing too.
    """
    subjects, visits = plan.subjects, store.plan["visits"]
    done = store.committed(TRAIN)
    group_of = {index: group for group in plan.network_groups for index in group.members}

    def is_waiting(index: int) -> bool:
        if index not in done:
            return True
        alive = done[index]["status"] == DONE
        return recorder is not None and alive and bool(recorder.missing(index))

    def train_one(cohort: Sequence[int], stop: Stop) -> None:
        members = Cohort(tuple(subjects[index] for index in cohort))
        wanted = [(place, index) for place, index in enumerate(cohort) if is_waiting(index)]
        seen: list[dict[str, np.ndarray]] = []
        states: dict[int, SubjectStates] = {}
        recording: dict[int, SubjectRecorder] = {}
        if recorder is None:
            states = {i: SubjectStates(store, group_of[i], i, len(visits)) for _, i in wanted}
        else:
            recording = {index: recorder.recorder(group_of[index], index) for _, index in wanted}

        def look(visit: Visit) -> None:
            stop.check()
            seen.append(visit.evaluation)
            for place, index in wanted:
                if recorder is None:
                    states[index].add(visit.state[place])
                elif not np.isfinite(visit.state[place]).all():
                    recording.pop(index, None)  # it has diverged, and is not recorded
                elif index in recording:
                    recording[index].add(visit.state[place : place + 1])

        outcome = train(members, visits, look, device=device)
        for place, index in wanted:
            stop.check()
            checksums: dict[str, dict[str, str]] = {}
            if recorder is None:
                checksums = states.pop(index).finish()
            elif index in recording:
                # Before the subject counts as done: its states are gone.
                recorder.keep(group_of[index], index, recording.pop(index), stop)
            if index not in done:
                record = _record(subjects[index], seen, outcome, place)
                store.commit(TRAIN, index, {**record, "checksums": checksums})
            advance(1)

    waiting = [cohort for cohort in store.plan["cohorts"] if any(map(is_waiting, cohort))]
    with torch_threads(store.plan["threads"]):
        run_all([partial(train_one, cohort) for cohort in waiting], workers)


def _record(
    subject: Subject,
    seen: Sequence[Mapping[str, np.ndarray]],
    outcome: TrainingOutcome,
    place: int,
) -> dict[str, Any]:
    """Return the outcome and evaluations of one subject, for its commit record."""
    diverged_at = int(outcome.diverged_at[place])
    return {
        "key": subject.key,
        "status": DONE if diverged_at < 0 else DIVERGED,
        "diverged_at": diverged_at,
        "diverged_in": outcome.diverged_in[place],
        "truth": {
            name: [_plain(evaluation[name][place]) for evaluation in seen]
            for name in sorted(seen[0])
        },
    }


def _plain(values: Any) -> Any:
    """Return numbers for JSON, which has no NaN: None stands for a number that is not finite."""
    if np.ndim(values):
        return [_plain(value) for value in values]
    number = float(values)
    return number if np.isfinite(number) else None
