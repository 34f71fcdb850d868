"""Control "visit 0": no rule has acted before learning, so accuracy must be at chance."""

from __future__ import annotations

from virtuallab.decoder.controls.common.chance import at_chance
from virtuallab.decoder.controls.common.control import Control, ControlResult
from virtuallab.decoder.features.samples import at_visit_0, has_visit_0
from virtuallab.decoder.task import DecodingTask
from virtuallab.registry import CONTROLS


@CONTROLS.register("visit_0")
class Visit0(Control):
    """The recording before learning, when no rule has acted, is at chance.

    Above chance, information on the rule leaked into the initialization or the measurement.
    """

    kind = "chance"
    rank = 0
    decodes = "the recording before learning, when no rule has acted"
    failure = "rules differ before learning, in their initial weights or their settings"

    def evaluate(self, task: DecodingTask) -> ControlResult:
        """Result of decoding visit 0 alone, averaged over draws of the folds."""
        if not has_visit_0(task.features) or "stat" not in task.features:
            return self.not_evaluated(task, "visit 0 was not recorded")
        samples = at_visit_0(task.features, task.observable)
        confusion = task.decode(samples, select=False, draws=task.repeats).confusion
        return at_chance(self.name, confusion, task.confidence)
