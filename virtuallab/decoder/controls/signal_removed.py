"""Signal removed, noise kept: the instrument's noise alone must be at chance.

Each subject is recorded a second time with the same electrodes and the same noise, where an
untrained network that never changes is in its place. Whoever can tell rules from that reads them
off the noise: it was made by what it disturbs.
"""

from __future__ import annotations

import jaxtyping as jt
import numpy as np

from virtuallab.decoder.controls.chance import at_chance, nothing_to_tell
from virtuallab.decoder.controls.check import Check
from virtuallab.decoder.controls.counted import subjects_of
from virtuallab.decoder.controls.question import Question
from virtuallab.decoder.samples import by_subject
from virtuallab.vocabulary import SUBJECT

NAME = "signal_removed"


def ask(question: Question) -> Check:
    """Decode the noise; a recording without noise passes."""
    if question.noise is None:
        return nothing_to_tell(NAME, subjects_of(question), "the recording has no noise")
    return at_chance(NAME, counts(question), question.confidence)


def counts(question: Question) -> jt.Float[np.ndarray, "true predicted"]:
    """Counts of a decoder that reads the noise alone, the mean over ways to draw the folds."""
    assert question.noise is not None
    mine = question.noise.sel({SUBJECT: question.features[SUBJECT].values})
    samples = by_subject(mine, question.observable)
    return question.decoded(samples, select=False, draws=question.repeats).confusion
