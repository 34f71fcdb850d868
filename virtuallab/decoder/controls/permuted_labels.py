"""Permuted labels: with the rules' names shuffled among subjects there is nothing to learn.

If accuracy stays above chance, the validation itself leaks.
"""

from __future__ import annotations

from dataclasses import replace

import jaxtyping as jt
import numpy as np

from virtuallab.decoder.controls.chance import at_chance
from virtuallab.decoder.controls.check import Check
from virtuallab.decoder.controls.question import Question

NAME = "permuted_labels"


def ask(question: Question) -> Check:
    """Ask it."""
    return at_chance(NAME, counts(question), question.confidence)


def counts(question: Question) -> jt.Float[np.ndarray, "true predicted"]:
    """Counts of a decoder trained and tested on shuffled labels, the mean over permutations.

    The mean keeps the number of subjects, so its interval is as wide as that of one run: subjects
    shuffled three times are not three times as many.
    """
    stream = np.random.default_rng(question.seed)
    drawn = [
        question.decoded(
            replace(question.samples, labels=stream.permutation(question.labels)),
            select=False,
            redrawn=number,
        ).confusion
        for number in range(question.repeats)
    ]
    mean: jt.Float[np.ndarray, "true predicted"] = np.mean(drawn, axis=0)
    return mean
