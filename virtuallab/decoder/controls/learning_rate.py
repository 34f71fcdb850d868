"""Learning rate alone: what the recording must beat.

Ranges of learning rates differ between optimizers, and rightly so; a decoder that only found out
the learning rate would then name some rules.
"""

from __future__ import annotations

import numpy as np

from virtuallab.decoder.controls.beaten import beaten
from virtuallab.decoder.controls.check import Check, not_asked
from virtuallab.decoder.controls.encoding import numeric
from virtuallab.decoder.controls.question import Question

NAME = "learning_rate"


def ask(question: Question) -> Check:
    """Ask it of the logarithm, where learning rates are known."""
    rates = question.column(NAME)
    if rates is None:
        return not_asked(NAME, "beat", len(question.labels), "no learning rates are known")
    rates = rates.astype(np.float64)
    logarithm = np.log(np.where(rates > 0, rates, np.nan))
    return beaten(NAME, question, question.known(numeric(logarithm)))
