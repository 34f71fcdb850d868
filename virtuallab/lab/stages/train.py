"""First stage: train every cohort, and preserve or record each subject at each visit."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from virtuallab.lab.planning.network_group import NetworkGroup
from virtuallab.lab.planning.plan import Plan
from virtuallab.lab.services.progress import Advance
from virtuallab.lab.services.workers import Emit, Piece, Stop, WorkerPool, find_device
from virtuallab.lab.stages.nodes import TRAIN
from virtuallab.lab.stages.probe_recorder import ProbeRecorder, RecordedProbe, SubjectRecording
from virtuallab.lab.stages.snapshots import SubjectStates
from virtuallab.store import Store
from virtuallab.subject.subject import Cohort, Subject
from virtuallab.subject.training.outcome import TrainingOutcome, Visit
from virtuallab.subject.training.trainer import train
from virtuallab.vocabulary import DIVERGED, DONE


def train_subjects(
    plan: Plan,
    store: Store,
    pool: WorkerPool,
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
    pool : WorkerPool
        Its workers train a cohort each; the result does not depend on them.
    device : str
        Where to train, ``"cpu"`` or ``"cuda"``.
    advance : callable
        Called with the number of subjects stored, each time.
    recorder : ProbeRecorder, optional
        Records the subjects while they are trained; their states are then not stored. A subject
        that some of its probes have not recorded is missing too.
    """
    done = store.committed(TRAIN)
    group_of = {index: group for group in plan.network_groups for index in group.members}

    def is_waiting(index: int) -> bool:
        if index not in done:
            return True
        alive = done[index]["status"] == DONE
        return recorder is not None and alive and bool(recorder.missing(index))

    def piece(cohort: Sequence[int]) -> Piece:
        wanted = [(place, index) for place, index in enumerate(cohort) if is_waiting(index)]
        recordings = None
        if recorder is not None:
            recordings = {index: recorder.recording(group_of[index], index) for _, index in wanted}
        training = CohortTraining(
            subjects=tuple(plan.subjects[index] for index in cohort),
            visits=tuple(store.plan["visits"]),
            wanted=tuple(wanted),
            device=device,
            recordings=recordings,
        )
        groups = {index: group_of[index] for _, index in wanted}
        receive = _Receiver(store, groups, len(training.visits), advance, recorder, done.keys())
        return Piece(training, receive, device=device)

    cohorts = [cohort for cohort in store.plan["cohorts"] if any(map(is_waiting, cohort))]
    pool.run(map(piece, cohorts), store.plan["threads"])


@dataclass(frozen=True)
class State:
    """State of one subject at its next visit, (parameter)."""

    index: int
    values: np.ndarray


@dataclass(frozen=True)
class Trained:
    """A subject whose states, or recordings, are complete, with its commit record."""

    index: int
    record: Mapping[str, Any]


@dataclass(frozen=True)
class CohortTraining:
    """Training of one cohort, without access to the store.

    Parameters
    ----------
    subjects : tuple of Subject
        The whole cohort.
    visits : tuple of int
        Training steps.
    wanted : tuple of (int, int)
        Place in the cohort, and index in the plan, of the subjects that are missing.
    device : str
        ``"cpu"`` or ``"cuda"``.
    recordings : mapping from index to SubjectRecording, optional
        If given, the subjects are recorded at each visit, and their states are not kept.
    """

    subjects: tuple[Subject, ...]
    visits: tuple[int, ...]
    wanted: tuple[tuple[int, int], ...]
    device: str
    recordings: Mapping[int, SubjectRecording] | None = None

    def __call__(self, inputs: Iterable[Any], emit: Emit, stop: Stop) -> None:
        """Train the cohort.

        Parameters
        ----------
        inputs : iterable
            Not used.
        emit : callable
            Called with a :class:`State` at each visit, or after training with a
            :class:`~virtuallab.lab.stages.probe_recorder.RecordedProbe` of each probe; and with a
            :class:`Trained` for each subject, after all else of it.
        stop : Stop
        """
        find_device(self.device)
        planned = self.recordings or {}
        recorders = {index: each.recorder() for index, each in planned.items()}
        seen: list[dict[str, np.ndarray]] = []

        def look(visit: Visit) -> None:
            stop.check()
            seen.append(visit.evaluation)
            for place, index in self.wanted:
                if self.recordings is None:
                    emit(State(index, visit.state[place]))
                elif not np.isfinite(visit.state[place]).all():
                    recorders.pop(index, None)  # it has diverged, and is not recorded
                elif index in recorders:
                    recorders[index].add(visit.state[place : place + 1])

        outcome = train(Cohort(self.subjects), self.visits, look, device=self.device)
        for place, index in self.wanted:
            stop.check()
            if index in recorders:
                for found in planned[index].recorded(recorders.pop(index), stop):
                    emit(found)
            emit(Trained(index, _record(self.subjects[place], seen, outcome, place)))


class _Receiver:
    """Stores the results of one cohort.

    Parameters
    ----------
    store : Store
    group_of : mapping from index to NetworkGroup
        Of the subjects that are missing.
    visits : int
        Number of visits.
    advance : callable
    recorder : ProbeRecorder or None
    done : collection of int
        Subjects that count as trained: only their recordings were missing.
    """

    def __init__(
        self,
        store: Store,
        group_of: Mapping[int, NetworkGroup],
        visits: int,
        advance: Advance,
        recorder: ProbeRecorder | None,
        done: Collection[int],
    ) -> None:
        self._store, self._group_of, self._visits = store, group_of, visits
        self._advance, self._recorder, self._done = advance, recorder, done
        self._states: dict[int, SubjectStates] = {}

    def __call__(self, result: State | RecordedProbe | Trained) -> None:
        """Store a result."""
        index = result.index
        group = self._group_of[index]
        if isinstance(result, State):
            if index not in self._states:
                self._states[index] = SubjectStates(self._store, group, index, self._visits)
            self._states[index].add(result.values)
        elif isinstance(result, RecordedProbe):
            # Before the subject counts as done: its states are gone.
            assert self._recorder is not None
            self._recorder.keep(group, result)
        else:
            written = self._states.pop(index).finish() if index in self._states else {}
            if index not in self._done:
                self._store.commit(TRAIN, index, {**result.record, "checksums": written})
            self._advance(1)


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
