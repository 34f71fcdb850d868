"""Numbers of subjects by rule, status, architecture and task."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr

from virtuallab.labels import label_text
from virtuallab.text import count_noun
from virtuallab.vocabulary import (
    DIVERGED,
    DONE,
    FAILED,
    PENDING,
    PERFORMANCE,
    RULE,
    STATUS,
    VISIT,
)


@dataclass(frozen=True)
class RuleCounts:
    """Number of subjects of one rule by status.

    Parameters
    ----------
    rule : str
    total, done, diverged, failed, pending : int
    performance : tuple of float, optional
        Quartiles of the final validation performance of subjects that are done.
    """

    rule: str
    total: int
    done: int
    diverged: int
    failed: int
    pending: int
    performance: tuple[float, ...] | None


def measure_of(tree: xr.DataTree, task: str = "") -> str:
    """Return the words for the performance of the subjects of a task, or of all subjects.

    Parameters
    ----------
    tree : xr.DataTree
        An experiment.
    task : str, optional

    Returns
    -------
    str
        "accuracy", unless the task or one of several has another measure.
    """
    written = tree["truth"][PERFORMANCE].attrs.get("measures") if "truth" in tree.children else None
    measures: dict[str, str] = json.loads(written or "{}")
    if task:
        return measures.get(task, "accuracy")
    tasks = set(label_text(tree["subjects"].to_dataset()["task"]))
    found = {measures.get(each, "accuracy") for each in tasks}
    return found.pop() if len(found) == 1 else "performance"


def count_by_rule(tree: xr.DataTree, rules: Sequence[str]) -> list[RuleCounts]:
    """Number of subjects of each rule by status, with their performance if ``/truth`` is stored."""
    subjects = tree["subjects"].to_dataset()
    of, status = label_text(subjects[RULE]), subjects["status"].to_numpy()
    final = np.full(len(of), np.nan)
    if "truth" in tree.children and PERFORMANCE in tree["truth"]:
        final = tree["truth"][PERFORMANCE].isel({VISIT: -1}).to_numpy().astype(float)
    found = []
    for rule in rules:
        members = of == rule
        count = {value: int((members & (status == value)).sum()) for value in STATUS}
        reached = final[members & (status == DONE) & np.isfinite(final)]
        quartiles = (
            tuple(map(float, np.percentile(reached, (25, 50, 75)))) if reached.size else None
        )
        found.append(
            RuleCounts(
                rule=rule,
                total=int(members.sum()),
                done=count[DONE],
                diverged=count[DIVERGED],
                failed=count[FAILED],
                pending=count[PENDING],
                performance=quartiles,
            )
        )
    return found


def by_architecture_and_task(subjects: xr.Dataset) -> dict[tuple[str, str], np.ndarray]:
    """Members of each pair of architecture and task, each as array of bool, (subject,)."""
    architectures, tasks = label_text(subjects["architecture"]), label_text(subjects["task"])
    pairs = sorted(set(zip(architectures, tasks, strict=True)))
    return {(a, t): (architectures == a) & (tasks == t) for a, t in pairs}


def not_shown(done: np.ndarray) -> str:
    """Sentence on the subjects that a figure leaves out, which are not done; or empty."""
    lost = int((~done).sum())
    left_out = f"{count_noun(lost, 'subject')} that diverged, failed or are pending"
    return f" Left out: {left_out}." if lost else ""
