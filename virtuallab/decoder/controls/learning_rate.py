"""Control "learning rate": the recording must be better than the learning rate alone."""

from __future__ import annotations

import numpy as np

from virtuallab.decoder.controls.common.baseline import compared_with_baseline
from virtuallab.decoder.controls.common.control import Control, ControlResult
from virtuallab.decoder.controls.common.encoding import numeric
from virtuallab.decoder.task import DecodingTask
from virtuallab.registry import CONTROLS


@CONTROLS.register("learning_rate")
class LearningRate(Control):
    """The learning rate alone, which the recording must be better than.

    Ranges of learning rates differ between optimizers for good reason; a decoder that only
    estimates the learning rate would identify some rules.
    """

    kind = "beat"
    rank = 5
    decodes = "the learning rate, without a recording"
    condition = "the learning rate alone"

    def evaluate(self, task: DecodingTask) -> ControlResult:
        """Result of decoding the logarithm of the learning rate."""
        rates = task.column("learning_rate")
        if rates is None:
            return self.not_evaluated(task, "learning rates are not known")
        rates = rates.astype(np.float64)
        logarithm = np.log(np.where(rates > 0, rates, np.nan))
        return compared_with_baseline(self.name, task, task.samples_of(numeric(logarithm)))
