"""First stage: train every cohort, preserve each subject at each visit."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import xarray as xr

from virtuallab.lab.planning.network_group import NetworkGroup
from virtuallab.lab.planning.plan import Plan
from virtuallab.lab.planning.subject_table import design_coordinates
from virtuallab.lab.services.progress import Advance
from virtuallab.lab.services.workers import Stop, run_all, torch_threads
from virtuallab.lab.stages.nodes import TRAIN
from virtuallab.store import Store
from virtuallab.subject.subject import Cohort, Subject
from virtuallab.subject.training.outcome import TrainingOutcome, Visit
from virtuallab.subject.training.trainer import train
from virtuallab.vocabulary import DIVERGED, DONE, PARAMETER, VISIT


def train_subjects(plan: Plan, store: Store, workers: int, device: str, advance: Advance) -> None:
    """Train the cohorts of which a subject is missing, and store their states and evaluations.

    A cohort is trained whole even if only some of its subjects are missing: rounding depends on
    the subjects that train together, and the stored bytes must not depend on interruptions.

    Parameters
    ----------
    plan : Plan
    store : Store
        Its snapshot nodes are declared. Its plan has the cohorts, and the torch threads of each.
    workers : int
        Cohorts at once; the result does not depend on it.
    device : str
        Where to train, ``"cpu"`` or ``"cuda"``.
    advance : callable
        Called with the number of subjects stored, each time.
    """
    subjects, visits = plan.subjects, store.plan["visits"]
    done = store.committed(TRAIN)
    node_of = {index: group.name for group in plan.network_groups for index in group.members}
    waiting = [c for c in store.plan["cohorts"] if any(index not in done for index in c)]

    def train_one(cohort: Sequence[int], stop: Stop) -> None:
        members = Cohort(tuple(subjects[index] for index in cohort))
        seen: list[Visit] = []

        def preserve(visit: Visit) -> None:
            stop.check()
            seen.append(visit)

        outcome = train(members, visits, preserve, device=device)
        for place, index in enumerate(cohort):
            if index in done:
                continue
            stop.check()
            state = np.stack([visit.state[place] for visit in seen])
            node = f"snapshots/{node_of[index]}"
            checksums = {node: store.write(node, index, {"state": state})}
            record = _record(subjects[index], seen, outcome, place)
            store.commit(TRAIN, index, {**record, "checksums": checksums})
            advance(1)

    with torch_threads(store.plan["threads"]):
        run_all([partial(train_one, cohort) for cohort in waiting], workers)


def declare(store: Store, group: NetworkGroup, visits: xr.Dataset) -> None:
    """Make the snapshot node of a group."""
    layout = group.layout()
    state = np.zeros((visits.sizes[VISIT], layout.size), dtype=np.float32)
    sample = xr.Dataset({"state": ((VISIT, PARAMETER), state)}, coords=visits.coords)
    coords = design_coordinates(store.subjects)
    store.declare(
        f"snapshots/{group.name}", sample, coords=coords, attributes={"layout": layout.to_json()}
    )


def _record(
    subject: Subject, seen: Sequence[Visit], outcome: TrainingOutcome, place: int
) -> dict[str, Any]:
    """Return the outcome and evaluations of one subject, for its commit record."""
    diverged_at = int(outcome.diverged_at[place])
    names = seen[0].evaluation
    return {
        "key": subject.key,
        "status": DONE if diverged_at < 0 else DIVERGED,
        "diverged_at": diverged_at,
        "diverged_in": outcome.diverged_in[place],
        "truth": {
            name: [_plain(visit.evaluation[name][place]) for visit in seen]
            for name in sorted(names)
        },
    }


def _plain(values: Any) -> Any:
    """Return numbers for JSON, which has no NaN: None stands for a number that is not finite."""
    if np.ndim(values):
        return [_plain(value) for value in values]
    number = float(values)
    return number if np.isfinite(number) else None
