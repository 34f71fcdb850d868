"""Shuffled subjects: labels permuted by subject, under a split by layer, must be at chance.

All layers of a subject get the same name, drawn anew, so there is nothing to learn about rules.
Where layers of one subject stand on both sides of a split, a decoder recognises the subject and
recalls its name; what it then reaches above chance, the published scheme reaches without any rule.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from virtuallab.decoder.controls.chance import of_accuracy
from virtuallab.decoder.controls.check import Check
from virtuallab.decoder.controls.counted import per_rule
from virtuallab.decoder.controls.question import Question
from virtuallab.decoder.crossval import confusion_of, fit
from virtuallab.decoder.intervals import balanced_accuracy
from virtuallab.decoder.paper import splits_by_layer

NAME = "shuffled_subjects"


def ask(question: Question, splits: int = 10) -> Check:
    """Ask it of samples that are layers.

    Parameters
    ----------
    question : Question
        Its samples are those of :func:`virtuallab.decoder.samples.by_layer`.
    splits : int
        Random splits, for each permutation.
    """
    samples = question.samples
    owners, first, of = np.unique(samples.owners, return_index=True, return_inverse=True)
    grid = question.classifier.grid("quick", samples)
    settings = grid[len(grid) // 2]
    stream = np.random.default_rng(question.seed)
    accuracies, counted = [], []
    for number in range(question.repeats):
        names = stream.permutation(samples.labels[first])
        shuffled = replace(samples, labels=names[of])
        tested = np.zeros(len(owners), dtype=bool)
        for train, test in splits_by_layer(shuffled, splits, question.seed + number):
            fitted = fit(question.classifier, shuffled, train, dict(settings), question.seed)
            predicted = fitted.predict(samples.values[test])
            confusion = confusion_of(shuffled.labels[test], predicted, question.classes)
            accuracies.append(balanced_accuracy(confusion))
            tested[of[test]] = True
        counted.append(per_rule(names[tested], question.classes))
    return of_accuracy(
        NAME,
        float(np.mean(accuracies)),
        np.mean(counted, axis=0),
        question.confidence,
        "subjects' names shuffled, their layers on both sides of a split",
    )
