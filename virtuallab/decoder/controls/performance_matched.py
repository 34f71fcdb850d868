"""Performance matched: the recording among subjects that learned as well as one another.

What still tells rules apart is not how far they came.
"""

from __future__ import annotations

from virtuallab.decoder.controls.alike import alike
from virtuallab.decoder.controls.check import Check, not_asked
from virtuallab.decoder.controls.question import Question

NAME = "performance_matched"


def ask(question: Question) -> Check:
    """Weight subjects by their final validation accuracy; needs their learning curves."""
    curve = question.curve()
    if curve is None:
        reason = "no learning curve was given"
        return not_asked(NAME, "survive", len(question.labels), reason)
    return alike(NAME, question, curve[:, -1:], "final accuracies")
