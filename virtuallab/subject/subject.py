"""Subjects, each one network that learns one task by one rule, and cohorts of subjects."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from typing import Any

from virtuallab import seeds
from virtuallab.fields import float_fields, plugin_data
from virtuallab.registry import CURRICULA, SCHEDULES
from virtuallab.subject.architecture import Architecture
from virtuallab.subject.curriculum import Curriculum
from virtuallab.subject.optimizer import Optimizer, backward_optimizer
from virtuallab.subject.pretraining import Pretraining
from virtuallab.subject.rule import Rule
from virtuallab.subject.schedule import LearningRateSchedule
from virtuallab.subject.task import Task
from virtuallab.vocabulary import CONSTANT, CROSS_ENTROPY, SHUFFLED, SINGLE, Precision

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
        Name of the rule in the protocol; the class that a decoder predicts.
    batch_size : int
        Images in a training step.
    steps : int
        Training steps.
    replicate : int
        Number among subjects that differ only in their random streams.
    seed : int
        The protocol's seed.
    feedback_optimizer : Optimizer or None
        Of the backward weights. If None, the optimizer of the forward weights, without its weight
        decay unless the rule applies that decay to both weights.
    loss : str
        Name of the loss to minimise: ``"cross_entropy"`` or ``"squared_error"``.
    curriculum : Curriculum
        Choice and order of the training images.
    schedule : LearningRateSchedule
        Change of the learning rates, of forward and backward weights, during training.
    start_from : Pretraining or None
        What the subject learns before visit 0.
    precision : {"single", "mixed"}
        Precision of training: float32, or bfloat16 for signals and float32 for parameters.
    pair : str
        Owner of the random streams that the subject shares with subjects of other rules; empty if
        it shares none.
    paired : tuple of str
        These streams, by their names in :data:`virtuallab.seeds.PAIRABLE`.
    model_seed, data_seed : int or None
        Numbers of the model seed and of the data seed, if the protocol crosses them.
    data_owner : str
        Owner of the order of images and of their augmentations, which subjects of one data seed
        share; empty if they are the subject's own, or those of its pair.
    learning_rate_factor : float
        By which the learning rates of the optimizers were multiplied for this architecture.
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
    curriculum: Curriculum = field(default_factory=lambda: CURRICULA[SHUFFLED]())
    schedule: LearningRateSchedule = field(default_factory=lambda: SCHEDULES[CONSTANT]())
    start_from: Pretraining | None = None
    precision: Precision = SINGLE
    pair: str = ""
    paired: tuple[seeds.PairedStream, ...] = ()
    model_seed: int | None = None
    data_seed: int | None = None
    data_owner: str = ""
    learning_rate_factor: float = 1.0

    @property
    def backward_optimizer(self) -> Optimizer:
        """Optimizer of the backward weights; by default derived from ``optimizer``."""
        return backward_optimizer(
            self.optimizer, self.feedback_optimizer, shares_decay=self.rule.shares_decay
        )

    @property
    def pretrained(self) -> Subject | None:
        """The subject as it learns before visit 0; None if it does not.

        All random streams of the pretraining belong to the owner of the initial weights, which are
        its result. So a pair that shares its initial weights shares its pretraining.
        """
        start = self.start_from
        if start is None:
            return None
        own = start.rule is None and start.optimizer is None
        task = start.task or self.task
        usual = CROSS_ENTROPY if self.task.own_loss else self.loss
        return replace(
            self,
            task=task,
            loss=task.own_loss or usual,
            rule=start.rule or self.rule,
            optimizer=start.optimizer or self.optimizer,
            feedback_optimizer=self.feedback_optimizer if own else None,
            steps=start.steps,
            curriculum=CURRICULA[SHUFFLED](),
            schedule=SCHEDULES[CONSTANT](),
            start_from=None,
            pair=f"{self.stream(seeds.INITIAL_WEIGHTS)[0]} before visit 0",
            paired=tuple(seeds.PAIRABLE),
            data_owner="",
        )

    @property
    def identity(self) -> dict[str, Any]:
        """All settings that distinguish the subject from others, as plain data."""
        identity: dict[str, Any] = {
            **{kind: plugin_data(getattr(self, kind)) for kind in _PLUGINS},
            "label": self.label,
            "batch_size": self.batch_size,
            "steps": self.steps,
            "replicate": self.replicate,
            "seed": self.seed,
        }
        # Settings that were added later are left out at their defaults, so that keys stay the same.
        if self.feedback_optimizer is not None:
            identity["feedback_optimizer"] = plugin_data(self.feedback_optimizer)
        if self.loss != CROSS_ENTROPY:
            identity["loss"] = self.loss
        if self.curriculum.name != SHUFFLED:
            identity["curriculum"] = plugin_data(self.curriculum)
        if self.schedule.name != CONSTANT:
            identity["schedule"] = plugin_data(self.schedule)
        if self.start_from is not None:
            identity["start_from"] = pretraining_settings(self.start_from)
        if self.precision != SINGLE:
            identity["precision"] = self.precision
        if self.paired:
            identity |= {"pair": self.pair, "paired": list(self.paired)}
        if self.data_owner:
            identity["data_owner"] = self.data_owner
        return identity

    @cached_property
    def key(self) -> str:
        """Sixteen hexadecimal digits that identify the subject and seed its random streams."""
        text = json.dumps(self.identity, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def stream(self, purpose: str) -> tuple[str, str]:
        """Owner and purpose of a random stream: the subject, its pair, or its data seed."""
        if self.data_owner and purpose in (seeds.DATA_ORDER, seeds.AUGMENTATION):
            return self.data_owner, purpose
        shared = purpose in {seeds.PAIRABLE[name] for name in self.paired}
        return (self.pair if shared else self.key), purpose


def pretrained_alone(subject: Subject) -> bool:
    """True if a subject is pretrained in no cohort, since subjects of a pair share the result.

    The sums of one cohort are rounded differently in another, and subjects of a pair are in several
    cohorts.
    """
    return "initial_weights" in subject.paired


def pretraining_settings(start: Pretraining) -> dict[str, Any]:
    """Length of a pretraining, and its task, rule and optimizer if it has its own."""
    plugins = {"task": start.task, "rule": start.rule, "optimizer": start.optimizer}
    given = {kind: plugin_data(each) for kind, each in plugins.items() if each is not None}
    return {"steps": start.steps, **given}


@dataclass(frozen=True)
class Cohort:
    """Subjects of one kind, trained together as one population.

    Parameters
    ----------
    subjects : tuple of Subject

    Raises
    ------
    ValueError
        If the subjects are not all of one :func:`kind`.
    """

    subjects: tuple[Subject, ...]

    def __post_init__(self) -> None:
        kinds = {kind(subject) for subject in self.subjects}
        if len(kinds) != 1:
            raise ValueError(
                "subjects of one cohort share architecture, task, rule, optimizer, batch size, "
                f"steps, loss, curriculum, schedule, pretraining and precision; found {len(kinds)} "
                "different kinds"
            )


def kind(subject: Subject) -> tuple[Any, ...]:
    """Settings that subjects trained together must share: all except real numbers and streams."""
    return (
        subject.architecture,
        subject.task,
        *map(_shared_settings, (subject.rule, subject.optimizer, subject.feedback_optimizer)),
        subject.batch_size,
        subject.steps,
        subject.loss,
        subject.precision,
        *map(_shared_settings, (subject.curriculum, subject.schedule)),
        *_shared_start(subject.start_from),
    )


def _shared_start(start: Pretraining | None) -> tuple[Any, ...]:
    if start is None:
        return ()
    return start.steps, start.task, *map(_shared_settings, (start.rule, start.optimizer))


def _shared_settings(plugin: Any) -> tuple[Any, ...]:
    """Class of a plug-in and its settings that are not real numbers."""
    if plugin is None:
        return ()
    numbers = float_fields(type(plugin))  # type: ignore[arg-type]
    return type(plugin), *((k, v) for k, v in asdict(plugin).items() if k not in numbers)
