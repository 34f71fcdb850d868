"""Control "signal removed": the noise of the instrument alone must be at chance."""

from __future__ import annotations

from virtuallab.decoder.controls.common.chance import all_alike, at_chance
from virtuallab.decoder.controls.common.control import Control, ControlResult
from virtuallab.decoder.features.samples import by_subject
from virtuallab.decoder.task import DecodingTask
from virtuallab.registry import CONTROLS
from virtuallab.vocabulary import SUBJECT


@CONTROLS.register("signal_removed")
class SignalRemoved(Control):
    """The noise of the recording, with the signal removed, is at chance.

    Each subject is recorded a second time with the same electrodes and the same noise, but from an
    untrained network that never changes. Above chance, the noise depends on the signal.
    """

    kind = "chance"
    rank = 1
    decodes = "the noise of the instrument, recorded in untrained networks"
    failure = (
        "the noise of the instrument differs between rules, so that they can be identified without "
        "the signal"
    )

    def evaluate(self, task: DecodingTask) -> ControlResult:
        """Result of decoding the noise, averaged over draws of the folds; passes without noise."""
        if task.noise is None:
            return all_alike(self.name, task.subjects_per_rule, "the recording has no noise")
        mine = task.noise.sel({SUBJECT: task.features[SUBJECT].values})
        samples = task.paired(by_subject(mine, task.observable))
        result = task.decode(samples, select=False, draws=task.repeats)
        return at_chance(self.name, result.confusion, task.confidence, effect=result.pair_effect)
