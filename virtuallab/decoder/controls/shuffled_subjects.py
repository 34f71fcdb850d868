"""Control "shuffled subjects": labels permuted by subject, with layers split at random."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from virtuallab.decoder.controls.common.chance import accuracy_at_chance
from virtuallab.decoder.controls.common.control import Control, ControlResult
from virtuallab.decoder.model_selection import fit
from virtuallab.decoder.pairs import pair_effect, permuted
from virtuallab.decoder.schemes.cross_validation import confusion_of
from virtuallab.decoder.schemes.random_splits import splits_by_layer
from virtuallab.decoder.task import DecodingTask, per_rule
from virtuallab.decoder.uncertainty.intervals import balanced_accuracy
from virtuallab.registry import CONTROLS


@CONTROLS.register("shuffled_subjects")
class ShuffledSubjects(Control):
    """The recording, with labels permuted by subject under a split by layer, is at chance.

    All layers of a subject get the same permuted label. Where they are on both sides of a split, a
    decoder can recognise the subject, so the published scheme is above chance without any rule.
    """

    kind = "chance"
    rank = -1
    scheme = "published"
    decodes = "the recording, with rule labels permuted among subjects and layers split at random"
    failure = (
        "layers of one subject are in both training and test sets, so that a decoder may identify "
        "the subject instead of the rule"
    )

    def evaluate(self, task: DecodingTask) -> ControlResult:
        """Result of classifying layers, in several random splits for each permutation."""
        samples = task.samples
        subjects, first, owner = np.unique(samples.owners, return_index=True, return_inverse=True)
        grid = task.classifier.grid("quick", samples)
        estimator = task.classifier.estimator(samples, task.seed)
        estimator.set_params(**grid[len(grid) // 2])
        stream = np.random.default_rng(task.seed)
        pairs = None if samples.pairs is None else samples.pairs[first]
        accuracies, counted, effects = [], [], []
        for number in range(task.repeats):
            labels = permuted(samples.labels[first], pairs, stream)
            shuffled = replace(samples, labels=labels[owner])
            right, layers = np.zeros(len(subjects)), np.zeros(len(subjects))
            for train, test in splits_by_layer(shuffled, task.analysis.splits, task.seed + number):
                predicted = fit(estimator, shuffled.take(train)).predict(samples.values[test])
                confusion = confusion_of(shuffled.labels[test], predicted, task.classes)
                accuracies.append(balanced_accuracy(confusion))
                np.add.at(right, owner[test], predicted == shuffled.labels[test])
                np.add.at(layers, owner[test], 1)
            tested = layers > 0
            counted.append(per_rule(labels[tested], task.classes))
            share = right[tested] / layers[tested]
            effects.append(
                pair_effect(share, labels[tested], None if pairs is None else pairs[tested])
            )
        return accuracy_at_chance(
            self.name,
            float(np.mean(accuracies)),
            np.mean(counted, axis=0),
            task.confidence,
            "labels permuted by subject, layers of a subject on both sides of a split",
            effect=float(np.mean(effects)),
        )
