"""Ask every control of one question."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from virtuallab.decoder.controls import (
    learning_rate,
    metadata,
    performance,
    performance_matched,
    permuted_labels,
    schedule,
    schedule_matched,
    signal_removed,
    step_matched,
    visit_0,
)
from virtuallab.decoder.controls.check import Check
from virtuallab.decoder.controls.question import Question
from virtuallab.decoder.strict import nothing

_ASK: Final[dict[str, Callable[[Question], Check]]] = {
    each.NAME: each.ask
    for each in (
        visit_0,
        signal_removed,
        permuted_labels,
        metadata,
        schedule,
        learning_rate,
        performance,
        performance_matched,
        step_matched,
        schedule_matched,
    )
}
EVERY: Final = tuple(_ASK)
# Those asked of every design that is compared.
CONTROLS: Final = (visit_0.NAME, signal_removed.NAME, permuted_labels.NAME)
# Those that read something else than the recording, and must be at chance.
OF_THE_DATA: Final = (visit_0.NAME, signal_removed.NAME, metadata.NAME, schedule.NAME)
# Those that are the same whatever was recorded of the subjects.
OF_SUBJECTS: Final = (metadata.NAME, schedule.NAME)


def ask_all(
    question: Question, names: Sequence[str] = EVERY, step: Callable[[], None] = nothing
) -> list[Check]:
    """Ask every control of a question; each is returned, also where it could not be asked.

    Parameters
    ----------
    question : Question
        Of the strict scheme.
    names : sequence of str
        Controls to ask, in this order. Those of :data:`OF_SUBJECTS` need to be asked only once of
        several recordings of the same subjects.
    step : callable
        Called after each control.

    Returns
    -------
    list of Check
        Each judged alone; :func:`judged` judges those of a whole analysis together.
    """
    if not set(names) <= {*CONTROLS, *OF_THE_DATA}:  # others compare with the recording's accuracy
        question = question.answered()
    found = []
    for name in names:
        found.append(_ASK[name](question))
        step()
    return found
