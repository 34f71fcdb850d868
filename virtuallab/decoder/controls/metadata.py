"""Metadata: what was decided about a subject beside its rule must be at chance.

Rules are crossed with networks, tasks, losses and batch sizes, and share the settings of their
optimizers; where they do not, a decoder may recognise the setting and name the rule that goes with
it. Left out is what a protocol asks for: what two entries of one rule differ in, such as the kind
of their optimizer. The learning rate is a control of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

import numpy as np

from virtuallab.decoder.controls.chance import at_chance, nothing_to_tell
from virtuallab.decoder.controls.check import Check, not_asked
from virtuallab.decoder.controls.counted import subjects_of
from virtuallab.decoder.controls.encoding import are_alike, one_hot
from virtuallab.decoder.controls.question import Question

NAME = "metadata"
_DECIDED: Final = ("architecture", "task", "loss", "batch_size", "steps")
_KIND: Final = "optimizer"
_RULE: Final = "plasticity"


def ask(question: Question) -> Check:
    """Ask it of whatever of this is known."""
    known = dict(_columns(question))
    if not known:
        return not_asked(NAME, "chance", len(question.labels), "nothing is known of the subjects")
    telling = {name: values for name, values in known.items() if not are_alike(values)}
    if not telling:
        note = f"all subjects are alike in {_listed(known)}"
        return nothing_to_tell(NAME, subjects_of(question), note)
    values = np.concatenate(list(telling.values()), axis=1)
    outcome = question.decoded(question.known(values), select=False)
    return at_chance(NAME, outcome.confusion, question.confidence, f"{_listed(telling)} alone")


def _listed(names: Iterable[str]) -> str:
    return ", ".join(name.replace("_", " ") for name in names)


def _columns(question: Question) -> Iterator[tuple[str, np.ndarray]]:
    """Yield what was decided, as columns that a classifier can read."""
    for name in _DECIDED:
        values = question.column(name)
        if values is not None:
            yield name, one_hot(values)
    kind = question.column(_KIND)
    if kind is not None and not _is_asked(question, _KIND, ()):
        yield _KIND, one_hot(kind)
    for name in _settings(question):
        values = question.column(name)
        if values is not None and not _is_asked(question, name, (_KIND,)):
            yield name, _filled(values)


def _settings(question: Question) -> list[str]:
    """Return the numbers of optimizers, but for learning rates."""
    if question.subjects is None:
        return []
    # Sorted: a store lists its variables in any order.
    return sorted(
        str(name)
        for name, values in question.subjects.data_vars.items()
        if values.attrs.get("part") == _KIND and "learning_rate" not in str(name)
    )


def _filled(values: np.ndarray) -> np.ndarray:
    """Numbers; that a kind of optimizer has no such number tells the kind, and is not read."""
    numbers = values.astype(np.float64)
    known = np.isfinite(numbers)
    return np.where(known, numbers, numbers[known].mean() if known.any() else 0.0)[:, None]


def _is_asked(question: Question, name: str, within: tuple[str, ...]) -> bool:
    """Whether two entries of one rule, alike in some columns, differ in this one."""
    rule, values = question.column(_RULE), question.column(name)
    if rule is None or values is None:
        return False
    alike = [rule, *(column for key in within if (column := question.column(key)) is not None)]
    entries: dict[tuple[str, ...], set[tuple[str, ...]]] = {}
    for label in question.classes:
        mine = question.labels == label
        key = tuple(str(column[mine][0]) for column in alike)
        found = tuple(sorted({str(value) for value in values[mine]}))
        entries.setdefault(key, set()).add(found)
    return any(len(differ) > 1 for differ in entries.values())
