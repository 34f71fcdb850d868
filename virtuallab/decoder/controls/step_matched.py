"""Steps matched: the recording among subjects whose changes are equally large.

Rules differ in the size of their changes, and so do optimizers with different learning rates.
What still tells rules apart here is how a recording changed, and not how much.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from virtuallab.decoder.controls.alike import alike
from virtuallab.decoder.controls.check import Check, not_asked
from virtuallab.decoder.controls.question import Question
from virtuallab.vocabulary import ACTIVITY, ACTIVITY_CHANGE, LAYER, SUBJECT, VISIT, WEIGHTS

NAME = "step_matched"
# Logarithm of one plus the distance from the visit before, over the norm there.
_STEP: Final = {WEIGHTS: "weight_step", ACTIVITY: "act_step", ACTIVITY_CHANGE: "gradavg_step"}


def ask(question: Question) -> Check:
    """Weight subjects by their mean step over layers, in each half of the visits."""
    names = [name for of, name in _STEP.items() if question.observable in (of, "all")]
    steps = [found for name in names for found in _halves(question, name)]
    if not steps:
        reason = "the recording has no two visits to move between"
        return not_asked(NAME, "survive", len(question.labels), reason)
    return alike(NAME, question, np.stack(steps, axis=1), "steps")


def _halves(question: Question, name: str) -> list[np.ndarray]:
    """Return each subject's mean step early and late; nothing where it was not measured."""
    change = question.features["change"]
    if name not in change["change_name"]:
        return []
    steps = change.sel(change_name=name).isel({VISIT: slice(1, None)}).mean(LAYER)
    values = steps.transpose(SUBJECT, VISIT).to_numpy().astype(np.float64)
    if not np.isfinite(values).any():
        return []
    half = (values.shape[1] + 1) // 2
    halves = [values[:, :half], values[:, half:]]
    return [each.mean(1) for each in halves if each.shape[1]]
