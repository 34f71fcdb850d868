"""Control "permuted labels": with labels permuted among subjects, accuracy must be at chance."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from virtuallab.decoder.controls.common.chance import at_chance
from virtuallab.decoder.controls.common.control import Control, ControlResult
from virtuallab.decoder.pairs import permuted
from virtuallab.decoder.task import DecodingTask
from virtuallab.registry import CONTROLS


@CONTROLS.register("permuted_labels")
class PermutedLabels(Control):
    """The recording, with the labels of the subjects permuted, is at chance.

    Above chance, information on test subjects leaks into training.
    """

    kind = "chance"
    rank = 2
    decodes = "the recording, with the rule labels permuted among subjects"
    failure = "the cross-validation leaks the labels of test subjects"

    def evaluate(self, task: DecodingTask) -> ControlResult:
        """Result of training and testing on permuted labels, averaged over permutations.

        The average keeps the number of subjects, so its interval is as wide as that of one
        permutation: three permutations do not make three times as many subjects. In a paired
        design, labels are permuted within pairs.
        """
        stream = np.random.default_rng(task.seed)
        draws = []
        for number in range(task.repeats):
            labels = permuted(task.labels, task.samples.pairs, stream)
            shuffled = replace(task.samples, labels=labels)
            draws.append(task.decode(shuffled, select=False, offset=number))
        confusion = np.mean([each.confusion for each in draws], axis=0)
        effect = float(np.mean([each.pair_effect for each in draws]))
        return at_chance(self.name, confusion, task.confidence, effect=effect)
