"""Performance: the learning curve alone, which the recording must beat.

Rules differ in how well they learn. Who only reads off how far a subject has come needs no
recording of the brain.
"""

from __future__ import annotations

from virtuallab.decoder.controls.beaten import beaten
from virtuallab.decoder.controls.check import Check, not_asked
from virtuallab.decoder.controls.question import Question

NAME = "performance"


def ask(question: Question) -> Check:
    """Ask it of the validation accuracy at the recorded visits, where that is given."""
    curve = question.curve()
    if curve is None:
        return not_asked(NAME, "beat", len(question.labels), "no learning curve was given")
    return beaten(NAME, question, question.known(curve, visits=curve.shape[1]))
