"""How many subjects there are of each rule."""

from __future__ import annotations

import jaxtyping as jt
import numpy as np

from virtuallab.decoder.controls.question import Question


def subjects_of(question: Question) -> jt.Float[np.ndarray, " rule"]:
    """Subjects of each rule."""
    return per_rule(question.labels, question.classes)


def per_rule(labels: np.ndarray, classes: list[str]) -> jt.Float[np.ndarray, " rule"]:
    """How often each rule occurs."""
    return np.array([float((labels == rule).sum()) for rule in classes])
