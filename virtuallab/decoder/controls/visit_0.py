"""Visit 0 alone: before learning no rule has acted, so it must be at chance.

If it is not, something about the rule leaked into how subjects were made or measured.
"""

from __future__ import annotations

import jaxtyping as jt
import numpy as np

from virtuallab.decoder.controls.chance import at_chance
from virtuallab.decoder.controls.check import Check, not_asked
from virtuallab.decoder.controls.question import Question
from virtuallab.decoder.samples import at_visit_0, knows_visit_0

NAME = "visit_0"


def ask(question: Question) -> Check:
    """Ask it, where visit 0 was recorded."""
    if not knows_visit_0(question.features):
        count = len(question.labels)
        return not_asked(NAME, "chance", count, "visit 0 was not recorded")
    return at_chance(NAME, counts(question), question.confidence)


def counts(question: Question) -> jt.Float[np.ndarray, "true predicted"]:
    """Counts of a decoder that sees visit 0 alone, the mean over ways to draw the folds."""
    samples = at_visit_0(question.features, question.observable)
    return question.decoded(samples, select=False, draws=question.repeats).confusion
