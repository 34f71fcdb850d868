"""Metadata: what is known of a subject without recording it must be at chance.

Rules are crossed with networks, tasks and batch sizes; where they are not, a decoder may read the
network and name the rule that goes with it.
"""

from __future__ import annotations

import numpy as np

from virtuallab.decoder.controls.chance import at_chance, nothing_to_tell
from virtuallab.decoder.controls.check import Check, not_asked
from virtuallab.decoder.controls.counted import subjects_of
from virtuallab.decoder.controls.encoding import are_alike, one_hot
from virtuallab.decoder.controls.question import Question

NAME = "metadata"
_COLUMNS = ("architecture", "task", "batch_size")


def ask(question: Question) -> Check:
    """Ask it of whatever of this is known."""
    known = {name: values for name in _COLUMNS if (values := question.column(name)) is not None}
    if not known:
        return not_asked(NAME, "chance", len(question.labels), "nothing is known of the subjects")
    listed = ", ".join(name.replace("_", " ") for name in known)
    values = np.concatenate([one_hot(column) for column in known.values()], axis=1)
    if are_alike(values):
        return nothing_to_tell(NAME, subjects_of(question), f"all subjects are alike in {listed}")
    outcome = question.decoded(question.known(values), select=False)
    return at_chance(NAME, outcome.confusion, question.confidence, f"{listed} alone")
