"""A subject: one network with one rule, one optimizer, one seed, learning one task."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

from virtuallab.fields import float_fields, identifying_settings
from virtuallab.subject.architecture import Architecture
from virtuallab.subject.optimizer import Optimizer, for_backward_weights
from virtuallab.subject.rule import Rule
from virtuallab.subject.task import Task
from virtuallab.vocabulary import CROSS_ENTROPY


@dataclass(frozen=True, kw_only=True)
class Subject:
    """One animal: a value with a stable identity.

    Parameters
    ----------
    architecture, task, rule, optimizer
        What it is, what it learns, and how.
    label : str
        What a decoder has to tell: the name of its rule in the protocol.
    batch_size : int
        Images in a training step.
    steps : int
        Length of training.
    replicate : int
        Which of the subjects that are alike but for their random streams.
    seed : int
        The protocol's seed.
    feedback_optimizer : Optimizer or None
        How the backward weights change; like the forward ones if None, but without weight decay
        (where the rule shares it, with it).
    loss : str
        What it minimises: ``"cross_entropy"`` or ``"squared_error"``.
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
        """What changes its backward weights, whether or not it has one of its own for them."""
        return for_backward_weights(
            self.optimizer, self.feedback_optimizer, shares_decay=self.rule.shares_decay
        )

    @property
    def identity(self) -> dict[str, Any]:
        """Everything that makes it this subject, as plain data."""
        own = self.feedback_optimizer
        return {
            **{kind: named(getattr(self, kind)) for kind in _PLUGINS},
            "label": self.label,
            "batch_size": self.batch_size,
            "steps": self.steps,
            "replicate": self.replicate,
            "seed": self.seed,
            # What is left at its default has no word here, or every stream would be another.
            **({} if own is None else {"feedback_optimizer": named(own)}),
            **({} if self.loss == CROSS_ENTROPY else {"loss": self.loss}),
        }

    @cached_property
    def key(self) -> str:
        """Sixteen hexadecimal digits of its identity; its random streams belong to this key."""
        text = json.dumps(self.identity, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:16]


_PLUGINS = ("architecture", "task", "rule", "optimizer")


def named(plugin: Any) -> dict[str, Any]:
    """Return the settings of a plug-in as plain data, under its name."""
    return {"name": plugin.name, **identifying_settings(type(plugin), asdict(plugin))}


@dataclass(frozen=True)
class Cohort:
    """Subjects of one make that train together as one population.

    Raises
    ------
    ValueError
        If they differ in what a population has to share.
    """

    subjects: tuple[Subject, ...]

    def __post_init__(self) -> None:
        if len({kind(subject) for subject in self.subjects}) != 1:
            raise ValueError(
                "subjects of one cohort share architecture, task, rule, optimizer, batch size, "
                f"steps and loss; found {len({kind(each) for each in self.subjects})} different "
                "kinds"
            )


def kind(subject: Subject) -> tuple[Any, ...]:
    """Return what subjects must share to train together; all but their numbers and streams."""
    return (
        subject.architecture,
        subject.task,
        *(_shared(each) for each in (subject.rule, subject.optimizer, subject.feedback_optimizer)),
        subject.batch_size,
        subject.steps,
        subject.loss,
    )


def _shared(plugin: Any) -> tuple[Any, ...]:
    """Return a plug-in's class and those of its settings that are no real numbers."""
    if plugin is None:
        return ()
    numbers = float_fields(type(plugin))  # type: ignore[arg-type]
    return type(plugin), *((k, v) for k, v in asdict(plugin).items() if k not in numbers)
