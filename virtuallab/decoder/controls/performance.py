"""Control "performance": the recording must be better than the learning curve alone."""

from __future__ import annotations

from virtuallab.decoder.controls.common.baseline import compared_with_baseline
from virtuallab.decoder.controls.common.control import Control, ControlResult
from virtuallab.decoder.task import DecodingTask
from virtuallab.registry import CONTROLS


@CONTROLS.register("performance")
class Performance(Control):
    """The learning curve alone, which the recording must be better than.

    Rules differ in how well they learn, and performance can be measured without a recording.
    """

    kind = "beat"
    rank = 6
    decodes = "the learning curve, without a recording"
    condition = "the learning curve alone"

    def evaluate(self, task: DecodingTask) -> ControlResult:
        """Result of decoding the validation accuracy at the recorded visits."""
        curve = task.learning_curve()
        if curve is None:
            return self.not_evaluated(task, "no learning curve is known")
        baseline = task.samples_of(curve, visits=curve.shape[1])
        return compared_with_baseline(self.name, task, baseline)
