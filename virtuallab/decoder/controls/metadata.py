"""Control "metadata": the settings of subjects other than their rule must be at chance."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import ClassVar, Final

import numpy as np

from virtuallab.decoder.controls.common.chance import all_alike, at_chance
from virtuallab.decoder.controls.common.control import Control, ControlResult, Kind
from virtuallab.decoder.controls.common.encoding import all_equal, one_hot
from virtuallab.decoder.task import DecodingTask
from virtuallab.registry import CONTROLS

_SETTINGS: Final = ("architecture", "task", "loss", "batch_size", "steps")
_KIND: Final = "optimizer"
_RULE: Final = "plasticity"


@CONTROLS.register("metadata")
class Metadata(Control):
    """The settings of subjects other than their rule, without a recording, are at chance.

    Rules should be crossed with networks, tasks, losses and batch sizes, and share the settings of
    their optimizers; otherwise a decoder may identify a setting instead of the rule. Settings in
    which two entries of one rule differ, such as the optimizer, are part of what is identified and
    are left out. The learning rate has a control of its own.
    """

    kind: ClassVar[Kind] = "chance"
    rank: ClassVar[int] = 3
    decodes: ClassVar[str] = "the settings of subjects other than the rule, without a recording"
    failure: ClassVar[str] = (
        "rules differ in other settings (architecture, task, loss, momentum, ...), so that a "
        "decoder may identify a setting instead of the rule"
    )

    def evaluate(self, task: DecodingTask) -> ControlResult:
        """Decode the settings that differ between subjects."""
        known = dict(_columns(task))
        if not known:
            return self.not_asked(task, "the settings of the subjects are not known")
        telling = {name: values for name, values in known.items() if not all_equal(values)}
        if not telling:
            note = f"all subjects have the same {_listed(known)}"
            return all_alike(self.name, task.subjects_per_rule, note)
        values = np.concatenate(list(telling.values()), axis=1)
        result = task.decode(task.samples_of(values), select=False)
        note = f"from {_listed(telling)}"
        return at_chance(self.name, result.confusion, task.confidence, note)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(name.replace("_", " ") for name in names)


def _columns(task: DecodingTask) -> Iterator[tuple[str, np.ndarray]]:
    """Yield settings as columns for a classifier."""
    for name in _SETTINGS:
        values = task.column(name)
        if values is not None:
            yield name, one_hot(values)
    kind = task.column(_KIND)
    if kind is not None and not _is_asked(task, _KIND, ()):
        yield _KIND, one_hot(kind)
    for name in _settings(task):
        values = task.column(name)
        if values is not None and not _is_asked(task, name, (_KIND,)):
            yield name, _filled(values)


def _settings(task: DecodingTask) -> list[str]:
    """Numbers of optimizers, except learning rates."""
    if task.subjects is None:
        return []
    # Sorted, since a store lists its variables in any order.
    return sorted(
        str(name)
        for name, values in task.subjects.data_vars.items()
        if values.attrs.get("part") == _KIND and "learning_rate" not in str(name)
    )


def _filled(values: np.ndarray) -> np.ndarray:
    """Numbers, with the mean where a kind of optimizer has none, which would tell the kind."""
    numbers = values.astype(np.float64)
    known = np.isfinite(numbers)
    return np.where(known, numbers, numbers[known].mean() if known.any() else 0.0)[:, None]


def _is_asked(task: DecodingTask, name: str, within: tuple[str, ...]) -> bool:
    """Whether two entries of one rule, alike in some columns, differ in this one."""
    rule, values = task.column(_RULE), task.column(name)
    if rule is None or values is None:
        return False
    alike = [rule, *(column for key in within if (column := task.column(key)) is not None)]
    entries: dict[tuple[str, ...], set[tuple[str, ...]]] = {}
    for label in task.classes:
        mine = task.labels == label
        key = tuple(str(column[mine][0]) for column in alike)
        found = tuple(sorted({str(value) for value in values[mine]}))
        entries.setdefault(key, set()).add(found)
    return any(len(differ) > 1 for differ in entries.values())
