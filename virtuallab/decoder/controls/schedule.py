"""Schedule: how long a subject learned, and when it was recorded, must be at chance.

Changes grow with the steps between visits, so that rules which are visited at other steps can be
told apart by how much of anything changed.
"""

from __future__ import annotations

import jaxtyping as jt
import numpy as np

from virtuallab.decoder.controls.chance import at_chance, nothing_to_tell
from virtuallab.decoder.controls.check import Check, not_asked
from virtuallab.decoder.controls.counted import subjects_of
from virtuallab.decoder.controls.encoding import are_alike, is_text, numeric, one_hot
from virtuallab.decoder.controls.question import Question
from virtuallab.vocabulary import SUBJECT, VISIT

NAME = "schedule"
_COLUMNS = ("steps", "batch_size")


def ask(question: Question) -> Check:
    """Ask it of whatever of this is known."""
    values = schedules(question)
    if values is None:
        reason = "nothing is known of how long the subjects learned"
        return not_asked(NAME, "chance", len(question.labels), reason)
    if are_alike(values):
        return nothing_to_tell(NAME, subjects_of(question), "all subjects have the same schedule")
    outcome = question.decoded(question.known(values), select=False)
    return at_chance(NAME, outcome.confusion, question.confidence)


def schedules(question: Question) -> jt.Float[np.ndarray, "subject column"] | None:
    """Return the schedule of each subject, one row each; None where nothing of it is known."""
    names = [*_COLUMNS, *(name for name in _named(question) if _is_schedule(name))]
    known = [values for name in names if (values := question.column(name)) is not None]
    columns = [one_hot(values) if is_text(values) else numeric(values) for values in known]
    columns += _recorded_at(question)
    return np.concatenate(columns, axis=1) if columns else None


def _named(question: Question) -> list[str]:
    return [] if question.subjects is None else sorted(map(str, question.subjects.data_vars))


def _is_schedule(name: str) -> bool:
    """Whether a column says how the learning rate changes while a subject learns."""
    return name.startswith("learning_rate_") or "schedule" in name or "warmup" in name


def _recorded_at(question: Question) -> list[np.ndarray]:
    """Return the steps of the recorded visits, which may be each subject's own."""
    if "step" not in question.features.coords:
        return []
    steps = question.features["step"]
    own = (
        steps.expand_dims({SUBJECT: question.features.sizes[SUBJECT]})
        if (SUBJECT not in steps.dims)
        else steps
    )
    return [own.transpose(SUBJECT, VISIT).values.astype(np.float64)]
