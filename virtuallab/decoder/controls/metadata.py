"""Control "metadata": the settings of subjects other than their rule must be at chance."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

import numpy as np

from virtuallab.decoder.controls.common.chance import all_alike, at_chance
from virtuallab.decoder.controls.common.control import Control, ControlResult
from virtuallab.decoder.controls.common.encoding import all_equal, one_hot
from virtuallab.decoder.task import DecodingTask
from virtuallab.registry import CONTROLS

_SETTINGS: Final = (
    "architecture",
    "task",
    "loss",
    "curriculum",
    "start_from",
    "batch_size",
    "steps",
)
_OPTIMIZER: Final = "optimizer"
_RULE: Final = "plasticity"  # the name of the rule, without its optimizer and settings


@CONTROLS.register("metadata")
class Metadata(Control):
    """The settings of subjects other than their rule, without a recording, are at chance.

    Rules should be crossed with networks, tasks, losses, curricula, batch sizes and pretraining,
    and share the settings of their optimizers; otherwise a decoder may identify a setting instead
    of the rule. Settings in which two entries of one rule differ, such as the optimizer, are part
    of what is identified and are left out. The learning rate and the schedule have controls of
    their own.
    """

    kind = "chance"
    rank = 3
    decodes = "the settings of subjects other than the rule, without a recording"
    failure = (
        "rules differ in other settings (architecture, task, loss, momentum, ...), so that a "
        "decoder may identify a setting instead of the rule"
    )

    def evaluate(self, task: DecodingTask) -> ControlResult:
        """Result of decoding the settings that differ between subjects."""
        if task.column(_RULE) is None:
            return self.not_evaluated(
                task,
                f"the settings of the subjects were not given: without `{_RULE}`, settings that "
                "are part of a rule cannot be distinguished from others",
            )
        known = dict(_columns(task))
        if not known:
            return self.not_evaluated(task, "no settings of the subjects are known")
        different = {name: values for name, values in known.items() if not all_equal(values)}
        if not different:
            note = f"all subjects have the same {_listed(known)}"
            return all_alike(self.name, task.subjects_per_rule, note)
        values = np.concatenate(list(different.values()), axis=1)
        result = task.decode_settings(task.samples_of(values), select=False)
        note = f"from {_listed(different)}"
        return at_chance(
            self.name, result.confusion, task.confidence, note, effect=result.pair_effect
        )


def _listed(names: Iterable[str]) -> str:
    return ", ".join(name.replace("_", " ") for name in names)


def _columns(task: DecodingTask) -> Iterator[tuple[str, np.ndarray]]:
    """Yield settings as columns for a classifier."""
    for name in _SETTINGS:
        values = task.column(name)
        if values is not None:
            yield name, one_hot(values)
    optimizer = task.column(_OPTIMIZER)
    if optimizer is not None and not _is_of_rule(task, optimizer, ()):
        yield _OPTIMIZER, one_hot(optimizer)
    within = () if optimizer is None else (optimizer,)
    # Numbers of optimizers, in a fixed order: a store may list its variables in any order.
    settings = {} if task.subjects is None else task.subjects.data_vars
    for name in sorted(map(str, settings)):
        if settings[name].attrs.get("part") == _OPTIMIZER and "learning_rate" not in name:
            values = task.column(name)
            if values is not None and not _is_of_rule(task, values, within):
                yield name, _filled(values)


def _filled(values: np.ndarray) -> np.ndarray:
    """Numbers, with the mean for optimizers without the setting, to hide the kind of optimizer."""
    numbers = values.astype(np.float64)
    known = np.isfinite(numbers)
    return np.where(known, numbers, numbers[known].mean() if known.any() else 0.0)[:, None]


def _is_of_rule(task: DecodingTask, values: np.ndarray, within: tuple[np.ndarray, ...]) -> bool:
    """Return whether two entries of one rule, alike in some columns, differ in these values."""
    alike = [task.column(_RULE), *within]
    entries: dict[tuple[str, ...], set[tuple[str, ...]]] = {}
    for label in task.classes:
        mine = task.labels == label
        key = tuple(str(column[mine][0]) for column in alike if column is not None)
        found = tuple(sorted({str(value) for value in values[mine]}))
        entries.setdefault(key, set()).add(found)
    return any(len(differ) > 1 for differ in entries.values())
