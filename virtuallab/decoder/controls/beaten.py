"""Whether a recording tells more than something that is known without it."""

from __future__ import annotations

from virtuallab.decoder.comparison import difference
from virtuallab.decoder.controls.check import Check
from virtuallab.decoder.controls.question import Question
from virtuallab.decoder.intervals import balanced_accuracy, interval
from virtuallab.decoder.samples import Samples


def beaten(name: str, question: Question, samples: Samples) -> Check:
    """Decode what the recording must beat, and compare the two in the same subjects.

    Both choose their settings the same way, in the same draws of the folds, and the difference is
    judged in the same subjects.
    """
    question = question.answered()
    assert question.outcome is not None
    outcome = question.decoded(samples, select=True, draws=question.draws)
    mean, low, high = difference(
        question.outcome.right,
        outcome.right,
        question.labels,
        question.confidence,
        repeats=question.draws,
    )
    bounds = interval(outcome.confusion, question.confidence, repeats=question.draws)
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
