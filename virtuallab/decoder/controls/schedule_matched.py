"""Schedule matched: the recording among subjects whose schedule occurs under every rule."""

from __future__ import annotations

import numpy as np

from virtuallab.decoder.controls.check import Check, not_asked
from virtuallab.decoder.controls.question import Question
from virtuallab.decoder.controls.schedule import schedules
from virtuallab.decoder.controls.survived import as_before, matched, survived

NAME = "schedule_matched"


def ask(question: Question) -> Check:
    """Ask it; where nobody has to be left out the recording's own accuracy is the answer."""
    known = schedules(question)
    count = len(question.labels)
    if known is None:
        reason = "nothing is known of how long the subjects learned"
        return not_asked(NAME, "survive", count, reason)
    groups = np.unique(known, axis=0, return_inverse=True)[1].reshape(-1)
    if groups.max() == 0:
        return as_before(NAME, question, "all subjects have the same schedule")
    stream = np.random.default_rng(question.seed)
    rows = matched(groups, question.labels, stream)
    if len(rows) == count:
        return as_before(NAME, question, "schedules do not differ between rules")
    note = f"{len(rows)} of {count} subjects, each schedule as often under every rule"
    return survived(NAME, question, rows, note)
