"""Control "step matched": the recording in subjects whose changes are equally large."""

from __future__ import annotations

from typing import Final

import numpy as np

from virtuallab.decoder.controls.common.control import Control, ControlResult
from virtuallab.decoder.controls.common.matching import weighted
from virtuallab.decoder.task import DecodingTask
from virtuallab.registry import CONTROLS
from virtuallab.vocabulary import (
    ACTIVITY,
    ACTIVITY_CHANGE,
    ALL,
    LAYER,
    SUBJECT,
    THEORY,
    THEORY_READS,
    VISIT,
    WEIGHTS,
)

# Logarithm of one plus the distance from the visit before, relative to the norm there.
_STEP: Final = {WEIGHTS: "weight_step", ACTIVITY: "act_step", ACTIVITY_CHANGE: "gradavg_step"}


@CONTROLS.register("step_matched")
class StepMatched(Control):
    """The recording in subjects weighted to have equally large changes is above chance.

    Rules, and optimizers with different learning rates, differ in the size of their changes.
    Above chance here, the direction of changes identifies the rule as well.
    """

    kind = "survive"
    rank = 8
    decodes = "the recording, in subjects weighted to have equally large changes"
    condition = "among subjects with equally large changes"

    def evaluate(self, task: DecodingTask) -> ControlResult:
        """Result for subjects weighted by their mean step in each half of the visits."""
        read = {ALL: tuple(_STEP), THEORY: THEORY_READS}.get(task.observable, (task.observable,))
        names = [name for key, name in _STEP.items() if key in read]
        steps = [half for name in names for half in _mean_steps(task, name)]
        if not steps:
            return self.not_evaluated(task, "changes need two recorded visits")
        return weighted(self.name, task, np.stack(steps, axis=1), "sizes of changes")


def _mean_steps(task: DecodingTask, name: str) -> list[np.ndarray]:
    """Mean steps of subjects in the first and second half; none if they were not measured."""
    if "change" not in task.features or name not in task.features["change_name"]:
        return []
    change = task.features["change"]
    steps = change.sel(change_name=name).isel({VISIT: slice(1, None)}).mean(LAYER)
    values = steps.transpose(SUBJECT, VISIT).to_numpy().astype(np.float64)
    if not np.isfinite(values).any():
        return []
    half = (values.shape[1] + 1) // 2
    return [each.mean(1) for each in (values[:, :half], values[:, half:]) if each.shape[1]]
