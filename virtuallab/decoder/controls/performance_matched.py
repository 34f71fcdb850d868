"""Control "performance matched": the recording in subjects with equal final accuracy."""

from __future__ import annotations

from virtuallab.decoder.controls.common.control import Control, ControlResult
from virtuallab.decoder.controls.common.matching import weighted
from virtuallab.decoder.task import DecodingTask
from virtuallab.registry import CONTROLS


@CONTROLS.register("performance_matched")
class PerformanceMatched(Control):
    """The recording in subjects weighted to have the same final accuracy is above chance.

    At chance, the recording may only show how well subjects have learned.
    """

    kind = "survive"
    rank = 7
    decodes = "the recording, in subjects weighted to have equal final accuracies"
    condition = "among subjects with equal final accuracies"

    def evaluate(self, task: DecodingTask) -> ControlResult:
        """Result for subjects weighted by their final validation accuracy."""
        curve = task.learning_curve()
        if curve is None:
            return self.not_evaluated(task, "no learning curve is known")
        return weighted(self.name, task, curve[:, -1:], "final accuracies")
