"""A subject: one network with one rule, one optimizer, one seed, learning one task."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

from virtuallab.fields import float_fields, identifying_settings
from virtuallab.subject.architecture import Architecture
from virtuallab.subject.optimizer import Optimizer, backward_optimizer
from virtuallab.subject.rule import Rule
from virtuallab.subject.task import Task
from virtuallab.vocabulary import CROSS_ENTROPY

_PLUGINS = ("architecture", "task", "rule", "optimizer")


@dataclass(frozen=True, kw_only=True)
class Subject:
    """One simulated animal: a value with a stable identity.

    Parameters
    ----------
    architecture : Architecture
    task : Task
    rule : Rule
    optimizer : Optimizer
        Of the forward weights.
    label : str
        Class that a decoder has to identify: the name of its rule in the protocol.
    batch_size : int
        Images in a training step.
    steps : int
        Length of training.
    replicate : int
        Number among the subjects that differ only in their random streams.
    seed : int
        The protocol's seed.
    feedback_optimizer : Optimizer or None
        Of the backward weights. If None, that of the forward weights; without its weight decay,
        unless the rule shares the decay.
    loss : str
        Name of the loss that it minimises: ``"cross_entropy"`` or ``"squared_error"``.
    """

    architecture: Architecture
    task: Task
    rule: Rule
    optimizer: Optimizer
    label: str
    batch_size: int
    steps: int
    replicate: int
    seed: int
    feedback_optimizer: Optimizer | None = None
    loss: str = CROSS_ENTROPY

    @property
    def backward_optimizer(self) -> Optimizer:
        """Optimizer of its backward weights, whether the protocol gives one or not."""
        own, shares = self.feedback_optimizer, self.rule.shares_decay
        return backward_optimizer(self.optimizer, own, shares_decay=shares)

    @property
    def identity(self) -> dict[str, Any]:
        """Everything that distinguishes it from other subjects, as plain data."""
        own = self.feedback_optimizer
        return {
            **{kind: plugin_settings(getattr(self, kind)) for kind in _PLUGINS},
            "label": self.label,
            "batch_size": self.batch_size,
            "steps": self.steps,
            "replicate": self.replicate,
            "seed": self.seed,
            # Later additions are left out at their default, or every random stream would change.
            **({} if own is None else {"feedback_optimizer": plugin_settings(own)}),
            **({} if self.loss == CROSS_ENTROPY else {"loss": self.loss}),
        }

    @cached_property
    def key(self) -> str:
        """Sixteen hexadecimal digits of its identity, from which its random streams derive."""
        text = json.dumps(self.identity, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def plugin_settings(plugin: Any) -> dict[str, Any]:
    """Name and settings of a plug-in, as plain data."""
    return {"name": plugin.name, **identifying_settings(type(plugin), asdict(plugin))}


@dataclass(frozen=True)
class Cohort:
    """Subjects of one kind that train together as one population.

    Parameters
    ----------
    subjects : tuple of Subject

    Raises
    ------
    ValueError
        If they differ in what a population has to share.
    """

    subjects: tuple[Subject, ...]

    def __post_init__(self) -> None:
        kinds = {kind(subject) for subject in self.subjects}
        if len(kinds) != 1:
            raise ValueError(
                "subjects of one cohort share architecture, task, rule, optimizer, batch size, "
                f"steps and loss; found {len(kinds)} different kinds"
            )


def kind(subject: Subject) -> tuple[Any, ...]:
    """What subjects must share to train together: all but real-numbered settings and streams."""
    return (
        subject.architecture,
        subject.task,
        *(_shared(each) for each in (subject.rule, subject.optimizer, subject.feedback_optimizer)),
        subject.batch_size,
        subject.steps,
        subject.loss,
    )


def _shared(plugin: Any) -> tuple[Any, ...]:
    """Class of a plug-in, and those of its settings that are no real numbers."""
    if plugin is None:
        return ()
    numbers = float_fields(type(plugin))  # type: ignore[arg-type]
    return type(plugin), *((k, v) for k, v in asdict(plugin).items() if k not in numbers)
