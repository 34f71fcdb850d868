"""Control "schedule matched": the recording in subjects of equally frequent schedules."""

from __future__ import annotations

import numpy as np

from virtuallab.decoder.controls.common.control import Control, ControlResult
from virtuallab.decoder.controls.common.matching import above_chance, equally_many, in_subsample
from virtuallab.decoder.controls.schedule import UNKNOWN, schedules
from virtuallab.decoder.task import DecodingTask
from virtuallab.registry import CONTROLS


@CONTROLS.register("schedule_matched")
class ScheduleMatched(Control):
    """The recording in subjects of equally frequent schedules is above chance."""

    kind = "survive"
    rank = 9
    decodes = "the recording, in subjects with schedules equally frequent under every rule"
    condition = "among subjects with schedules equally frequent under every rule"

    def evaluate(self, task: DecodingTask) -> ControlResult:
        """Result for a matched subsample, or for all subjects if none is left out."""
        known = schedules(task)
        if known is None:
            return self.not_evaluated(task, UNKNOWN)
        count = len(task.labels)
        groups = np.unique(known, axis=0, return_inverse=True)[1].reshape(-1)
        if groups.max() == 0:
            note = "all subjects have the same schedule"
            return above_chance(self.name, task, task.solved(), note)
        rows = equally_many(groups, task.labels, np.random.default_rng(task.seed))
        if len(rows) == count:
            note = "schedules do not differ between rules"
            return above_chance(self.name, task, task.solved(), note)
        note = f"{len(rows)} of {count} subjects, each schedule equally frequent under every rule"
        return in_subsample(self.name, task, rows, note)
