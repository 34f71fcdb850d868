"""Control "performance matched": the recording in subjects that learned equally well."""

from __future__ import annotations

from typing import ClassVar

from virtuallab.decoder.controls.common.control import Control, ControlResult, Kind
from virtuallab.decoder.controls.common.matching import weighted
from virtuallab.decoder.task import DecodingTask
from virtuallab.registry import CONTROLS


@CONTROLS.register("performance_matched")
class PerformanceMatched(Control):
    """The recording in subjects weighted to have the same final accuracy is above chance.

    Otherwise it may only show how far subjects have learned.
    """

    kind: ClassVar[Kind] = "survive"
    rank: ClassVar[int] = 7
    decodes: ClassVar[str] = "the recording, of subjects that learned as well as one another"
    failure: ClassVar[str] = (
        "the recording does not tell the rules of subjects that learned as well as one another"
    )

    def evaluate(self, task: DecodingTask) -> ControlResult:
        """Weight subjects by their final validation accuracy."""
        curve = task.learning_curve()
        if curve is None:
            return self.not_asked(task, "no learning curve was given")
        return weighted(self.name, task, curve[:, -1:], "final accuracies")
