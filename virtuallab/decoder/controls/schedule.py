"""Control "schedule": length of training, learning-rate schedule and visits are at chance."""

from __future__ import annotations

import jaxtyping as jt
import numpy as np

from virtuallab.decoder.controls.common.chance import all_alike, at_chance
from virtuallab.decoder.controls.common.control import Control, ControlResult
from virtuallab.decoder.controls.common.encoding import all_equal, is_text, numeric, one_hot
from virtuallab.decoder.task import DecodingTask
from virtuallab.registry import CONTROLS
from virtuallab.vocabulary import SUBJECT, VISIT

UNKNOWN = "the length of training is not known"


@CONTROLS.register("schedule")
class Schedule(Control):
    """Length of training, its schedule and times of visits, without a recording, are at chance.

    Changes grow with the number of steps between visits and with the learning rate at these steps,
    so rules with different schedules can be distinguished by the size of any change.
    """

    kind = "chance"
    rank = 4
    decodes = "the length of training and the times of visits, without a recording"
    failure = (
        "rules differ in length of training or in times of visits, so that a decoder may identify "
        "the schedule instead of the rule"
    )

    def evaluate(self, task: DecodingTask) -> ControlResult:
        """Result of decoding the known parts of the schedule."""
        values = schedules(task)
        if values is None:
            return self.not_evaluated(task, UNKNOWN)
        if all_equal(values):
            note = "all subjects have the same schedule"
            return all_alike(self.name, task.subjects_per_rule, note)
        result = task.decode_settings(task.samples_of(values), select=False)
        return at_chance(self.name, result.confusion, task.confidence, effect=result.pair_effect)


def schedules(task: DecodingTask) -> jt.Float[np.ndarray, "subject column"] | None:
    """Schedule of each subject; None if nothing is known of it."""
    settings = [] if task.subjects is None else sorted(map(str, task.subjects.data_vars))
    names = ["steps", "batch_size", *filter(_is_schedule, settings)]
    known = [values for name in names if (values := task.column(name)) is not None]
    columns = [one_hot(values) if is_text(values) else numeric(values) for values in known]
    if "step" in task.features.coords:  # steps of the visits, which may differ between subjects
        first = task.features[SUBJECT]
        steps = task.features["step"].broadcast_like(first).transpose(SUBJECT, VISIT)
        columns.append(steps.to_numpy().astype(np.float64))
    return np.concatenate(columns, axis=1) if columns else None


def _is_schedule(name: str) -> bool:
    """Return whether a setting changes the learning rate during learning."""
    return name.startswith("learning_rate_") or "schedule" in name or "warmup" in name
