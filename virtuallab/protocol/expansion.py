"""Subjects of a protocol, and the cohorts in which they train: the same on every machine."""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from virtuallab import seeds
from virtuallab.protocol.model import Protocol
from virtuallab.protocol.sections.rule_entry import RuleEntry
from virtuallab.protocol.sections.start_from import StartFrom
from virtuallab.protocol.settings.distributions import Distribution
from virtuallab.protocol.settings.plugin_spec import PluginSpec, plain
from virtuallab.vocabulary import CONSTANT, CROSS_ENTROPY, SHUFFLED

if TYPE_CHECKING:
    from virtuallab.protocol.sections.subjects import Subjects
    from virtuallab.subject.pretraining import Pretraining
    from virtuallab.subject.subject import Subject


def expand(protocol: Protocol) -> tuple[Subject, ...]:
    """Return all subjects: architectures x tasks x batch sizes x losses x ... x replicates.

    Factors between losses and replicates are curricula, schedules, settings of the pretraining and
    rules.

    A setting given as a distribution is drawn for each subject from a stream that belongs to the
    subject's kind, its replicate and the setting. So subjects do not depend on the order in which
    the protocol lists things; more replicates, or another rule, leave the others as they are; and
    no two rules share a draw, except in the streams of ``subjects.paired``: they belong to the
    pair, which is the kind without its rule, and the replicate. If settings are paired, a number
    has the same quantile in the range of each rule.

    Parameters
    ----------
    protocol : Protocol

    Returns
    -------
    tuple of Subject
        Sorted by architecture, task, batch size, loss, curriculum, schedule, pretraining, label and
        replicate.
    """
    kinds = sorted(_kinds(protocol), key=lambda kind: kind.order)
    return tuple(
        kind.subject(protocol, replicate)
        for kind in kinds
        for replicate in range(kind.entry.replicates or protocol.subjects.of_each_rule)
    )


def cohorts(
    subjects: tuple[Subject, ...], size: int | Mapping[int, int]
) -> tuple[tuple[int, ...], ...]:
    """Return the cohorts: a partition of subjects into those that are trained together.

    Parameters
    ----------
    subjects : tuple of Subject
    size : int or mapping from subject index to int
        Most subjects in a cohort; a mapping has it for each kind, under any subject of that kind.

    Returns
    -------
    tuple of tuple of int
        Indices of subjects. Cohorts of one kind have equal sizes, or sizes that differ by one.
    """
    from virtuallab.subject.subject import kind

    groups: dict[Any, list[int]] = {}
    for index, subject in enumerate(subjects):
        groups.setdefault(kind(subject), []).append(index)
    partition: list[tuple[int, ...]] = []
    for members in groups.values():
        most = size if isinstance(size, int) else size[members[0]]
        parts = -(-len(members) // most)
        bounds = [len(members) * part // parts for part in range(parts + 1)]
        partition += [tuple(members[low:high]) for low, high in itertools.pairwise(bounds)]
    return tuple(partition)


@dataclass(frozen=True)
class _Kind:
    """Subjects that differ in their replicate only."""

    architecture: PluginSpec
    task: PluginSpec
    batch_size: Any
    loss: Any
    curriculum: PluginSpec
    schedule: PluginSpec
    start_from: StartFrom | None
    entry: RuleEntry

    @property
    def order(self) -> tuple[Any, ...]:
        return (
            self.architecture.plugin.name,
            _text(self.architecture.written()),
            self.task.plugin.name,
            _text(self.task.identifying()),
            self.batch_size if isinstance(self.batch_size, int) else 0,
            self.loss if isinstance(self.loss, str) else "",
            _text(self.curriculum.written()),
            _text(self.schedule.written()),
            _text(self.start_from and self.start_from.identifying()),
            self.entry.label,
            self.owner,
        )

    @cached_property
    def owner(self) -> str:
        """Owner of the random streams: all settings of the kind, as one text."""
        return _text(
            [
                self.architecture.written(),
                self.task.identifying(),
                self.batch_size,
                replace(self.entry, replicates=None).written(),
                # A default loss is omitted, so that draws equal those made before it was a setting.
                *([] if self.loss == CROSS_ENTROPY else [self.loss]),
                *self._added,
            ]
        )

    @cached_property
    def cell(self) -> str:
        """All settings of the kind that do not belong to its rule, as one text."""
        shared = [self.architecture.written(), self.task.identifying(), self.batch_size, self.loss]
        return _text([*shared, *self._added])

    @cached_property
    def network(self) -> str:
        """Settings of the network and of its task, as one text: what one seed is drawn for."""
        return _text([self.architecture.written(), self.task.identifying()])

    @property
    def _added(self) -> list[dict[str, Any]]:
        """Settings that were added later, without those at their defaults."""
        usual = {"curriculum": SHUFFLED, "schedule": CONSTANT}
        start = [] if self.start_from is None else [{"start_from": self.start_from.identifying()}]
        return start + [
            {key: getattr(self, key).written()}
            for key, name in usual.items()
            if getattr(self, key).plugin.name != name
        ]

    def subject(self, protocol: Protocol, replicate: int) -> Subject:
        from virtuallab.subject.subject import Subject

        paired = protocol.subjects.shared_streams
        of_settings = self.cell if "settings" in paired else self.owner

        def stream(part: str) -> Callable[[str], np.random.Generator]:
            owner = (seeds.SETTINGS, of_settings, str(replicate), part)
            return lambda setting: seeds.generator(protocol.seed, *owner, setting)

        def one(setting: str, value: Any) -> Any:
            return value.draw(stream("")(setting)) if isinstance(value, Distribution) else value

        task = self.task.draw(stream("task"))
        batch_size = one("batch_size", self.batch_size)
        steps = protocol.subjects.length
        start = self.start_from
        factor = protocol.subjects.learning_rate_factors.get(self.architecture.plugin.name, 1.0)
        return Subject(
            architecture=self.architecture.draw(stream("architecture")),
            task=task,
            **_with_factor(self.entry.draw(stream("rule")), factor),
            learning_rate_factor=factor,
            label=self.entry.label,
            batch_size=batch_size,
            loss=task.own_loss or one("loss", self.loss),
            curriculum=self.curriculum.draw(stream("curriculum")),
            schedule=self.schedule.draw(stream("schedule")),
            start_from=None
            if start is None
            else _with_scaled_optimizer(
                start.draw(stream("start_from"), task, batch_size, steps), factor
            ),
            steps=steps,
            precision=protocol.subjects.precision,
            replicate=replicate,
            seed=protocol.seed,
            paired=paired,
            **self._owners(protocol.subjects, replicate),
        )

    def _owners(self, subjects: Subjects, replicate: int) -> dict[str, Any]:
        """Owners of the streams that a subject shares, and the numbers of its seeds."""
        crossed = subjects.seeds
        if crossed is None:
            shares = bool(subjects.shared_streams)
            return {"pair": _digest(f"pair {replicate} of {self.cell}") if shares else ""}
        model, data = divmod(replicate, crossed.data)
        return {
            "pair": _digest(f"model seed {model} of {self.network}"),
            "data_owner": _digest(f"data seed {data} of {self.network}"),
            "model_seed": model,
            "data_seed": data,
        }


def _with_factor(plugins: dict[str, Any], factor: float) -> dict[str, Any]:
    """Return a rule and its optimizers, with their learning rates times a factor."""
    if factor == 1:
        return plugins
    return {key: each if key == "rule" else _scaled(each, factor) for key, each in plugins.items()}


def _scaled(optimizer: Any, factor: float) -> Any:
    """Return an optimizer with its learning rate times a factor."""
    return replace(optimizer, learning_rate=optimizer.learning_rate * factor)


def _with_scaled_optimizer(start: Pretraining, factor: float) -> Pretraining:
    """Return a pretraining with the learning rate of its own optimizer times a factor."""
    if factor == 1 or start.optimizer is None:
        return start
    return replace(start, optimizer=_scaled(start.optimizer, factor))


def _digest(owner: str) -> str:
    """Sixteen hexadecimal digits that identify an owner, unlike the key of any subject."""
    return hashlib.sha256(owner.encode()).hexdigest()[:16]


def _kinds(protocol: Protocol) -> Iterator[_Kind]:
    subjects = protocol.subjects
    start, networks = (
        subjects.start_from,
        [
            pair
            for each in subjects.networks
            for pair in itertools.product(each[0].points(), each[1].points())
        ],
    )
    for (architecture, task), shared, curriculum, schedule, start_from, entry in itertools.product(
        networks,
        subjects.shared.points(),
        [point for each in subjects.curriculum for point in each.points()],
        [point for each in subjects.schedule for point in each.points()],
        [None] if start is None else start.points(),
        [point for each in subjects.rule_entries for point in each.points()],
    ):
        yield _Kind(
            architecture,
            task,
            **shared,
            curriculum=curriculum,
            schedule=schedule,
            start_from=start_from,
            entry=entry,
        )


def _text(value: Any) -> str:
    return json.dumps(plain(value), sort_keys=True, separators=(",", ":"))
