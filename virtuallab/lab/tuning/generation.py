"""Training of one generation of trials by a worker."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from virtuallab.lab.services.workers import Emit, Stop, find_device
from virtuallab.subject.subject import Cohort, Subject
from virtuallab.subject.training.outcome import Visit
from virtuallab.subject.training.trainer import train


@dataclass(frozen=True)
class GenerationTraining:
    """Training of subjects of one kind together, without knowledge of their study.

    Parameters
    ----------
    subjects : tuple of Subject
    visits : tuple of int
        Training steps at which training may end early, and the last.
    objective : str
        Name of the evaluation that is sought.
    device : str
    """

    subjects: tuple[Subject, ...]
    visits: tuple[int, ...]
    objective: str
    device: str

    def __call__(self, inputs: Iterable[Any], emit: Emit, stop: Stop) -> None:
        """Train the subjects.

        Parameters
        ----------
        inputs : iterable
            Not used.
        emit : callable
            Called once with the value of each subject, (subject,); NaN if it diverged.
        stop : Stop
        """
        find_device(self.device)
        last: list[Visit] = []

        def look(visit: Visit) -> None:
            stop.check()
            last[:] = [visit]

        outcome = train(Cohort(self.subjects), self.visits, look, device=self.device)
        values = last[0].evaluation[self.objective].astype(np.float64)
        emit(np.where((outcome.diverged_at < 0) & np.isfinite(values), values, np.nan))
