"""Whether a recording tells more than something that is known without it."""

from __future__ import annotations

import numpy as np

from virtuallab.decoder.comparison import balanced, resampled
from virtuallab.decoder.controls.check import Check
from virtuallab.decoder.controls.question import Question
from virtuallab.decoder.intervals import balanced_accuracy, interval
from virtuallab.decoder.samples import Samples

_DRAWS = 2_000


def beaten(name: str, question: Question, samples: Samples) -> Check:
    """Decode what the recording must beat, and compare the two in the same subjects.

    Both choose their settings the same way. The difference is judged by a bootstrap over subjects,
    which keeps what the two have in common.
    """
    question = question.answered()
    assert question.outcome is not None
    outcome = question.decoded(samples, select=True)
    ahead = question.right(question.outcome).astype(float) - question.right(outcome).astype(float)
    chosen = resampled(question.labels, _DRAWS, question.seed)
    draws = balanced(ahead[chosen], question.labels)
    tails = ((1 - question.confidence) / 2, (1 + question.confidence) / 2)
    low, high = (float(bound) for bound in np.quantile(draws, tails))
    bounds = interval(outcome.confusion, question.confidence, question.seed)
    mean = float(balanced(ahead, question.labels))
    return Check(
        name=name,
        kind="beat",
        accuracy=balanced_accuracy(outcome.confusion),
        low=bounds[0],
        high=bounds[1],
        passed=low > 0,
        n_subjects=len(question.labels),
        note=f"the recording's accuracy less this one: {mean:+.2f} [{low:+.2f}, {high:+.2f}]",
        margin=(mean, low, high),
    )
