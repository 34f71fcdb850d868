"""Control "visit 0": the recording before learning must be at chance."""

from __future__ import annotations

from virtuallab.decoder.controls.common.chance import at_chance
from virtuallab.decoder.controls.common.control import Control, ControlResult
from virtuallab.decoder.features.samples import at_visit_0, has_visit_0
from virtuallab.decoder.task import DecodingTask
from virtuallab.registry import CONTROLS


@CONTROLS.register("visit_0")
class Visit0(Control):
    """The recording at visit 0, before any rule has acted, is at chance.

    Above chance, the initial weights or settings of the subjects contain information on the rule.
    """

    kind = "chance"
    rank = 0
    decodes = "the recording at visit 0, before any rule has acted"
    failure = (
        "information on the rule is present before learning, in the initial weights or in the "
        "settings of the subjects"
    )

    def evaluate(self, task: DecodingTask) -> ControlResult:
        """Result of decoding visit 0 alone, averaged over draws of the folds."""
        if not has_visit_0(task.features) or "stat" not in task.features:
            return self.not_evaluated(task, "visit 0 was not recorded")
        samples = task.paired(at_visit_0(task.features, task.observable))
        result = task.decode(samples, select=False, draws=task.repeats)
        return at_chance(self.name, result.confusion, task.confidence, effect=result.pair_effect)
