"""The section ``subjects``: the networks, and how they learn."""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Annotated, Any, Literal

from annotated_types import Ge, Le, Len
from pydantic import Field, model_validator

from virtuallab.errors import UnknownName
from virtuallab.fields import Count, NonNegativeInt, PositiveFloat
from virtuallab.protocol.messages.explain import raise_faults, refusals
from virtuallab.protocol.messages.places import Place
from virtuallab.protocol.sections.rule_entry import (
    OptimizerSpec,
    RuleEntry,
    RuleEntryReader,
)
from virtuallab.protocol.sections.start_from import StartFrom
from virtuallab.protocol.sections.subject_seeds import OF_MODEL, SubjectSeeds
from virtuallab.protocol.sections.task_entry import TaskEntry, TaskEntryReader
from virtuallab.protocol.sections.training_length import TrainingLength
from virtuallab.protocol.settings.distributions import bounds_of
from virtuallab.protocol.settings.plugin_reader import PluginReader
from virtuallab.protocol.settings.plugin_spec import PluginSpec, Settings, plain
from virtuallab.protocol.settings.readers import (
    ListReader,
    NameReader,
    UnionReader,
)
from virtuallab.protocol.settings.section import Section
from virtuallab.protocol.settings.setting_reader import SettingReader
from virtuallab.registry import ARCHITECTURES, CURRICULA, LOSSES, SCHEDULES
from virtuallab.seeds import PairedStream
from virtuallab.vocabulary import CONSTANT, CROSS_ENTROPY, SHUFFLED, SINGLE, Precision

_MOST_SUBJECTS = 50_000  # those of an experiment are listed and drawn one by one


class _LossesOfClasses:
    """Names of losses that a protocol can choose; those of other targets belong to tasks."""

    def __iter__(self) -> Iterator[str]:
        return (name for name in LOSSES if LOSSES[name].targets == "classes")

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name in LOSSES  # others are refused with the reason


LossName = Annotated[str, NameReader("loss", _LossesOfClasses())]
Visits = Annotated[int, Ge(2), Le(10_000)]
ArchitectureSpec = Annotated[PluginSpec, PluginReader(ARCHITECTURES)]
TaskEntryOf = Annotated[TaskEntry, TaskEntryReader()]
CurriculumSpec = Annotated[PluginSpec, PluginReader(CURRICULA)]
ScheduleSpec = Annotated[PluginSpec, PluginReader(SCHEDULES)]
RuleEntryOf = Annotated[RuleEntry, RuleEntryReader()]
VisitSteps = Annotated[tuple[NonNegativeInt, ...], Len(1)]


class Subjects(Section):
    """The subjects: every architecture with every task, batch size, loss, ... and rule."""

    architectures: Annotated[
        tuple[ArchitectureSpec, ...],
        ListReader(ArchitectureSpec, 1),
        Field(description="Architectures of the networks: names, or mappings of settings."),
    ]
    tasks: Annotated[
        tuple[TaskEntryOf, ...],
        ListReader(TaskEntryOf, 1),
        Field(description="Tasks that they learn: names, or mappings of settings."),
    ]
    rules: Annotated[
        tuple[RuleEntryOf, ...],
        ListReader(RuleEntryOf, 1),
        Field(description="Plasticity rules; each entry is a class that the decoder identifies."),
    ]
    optimizer: OptimizerSpec | None = Field(
        None, description="Optimizer of the rules that have none of their own."
    )
    learning_rate_factors: dict[str, PositiveFloat] = Field(
        {},
        description="Factors of all learning rates, of forward and backward weights, by the name "
        "of the architecture; 1 where none is given. For networks that need lower or higher rates.",
    )
    replicates: Count | None = Field(
        None,
        description="Subjects of each rule with the same settings, which differ in random streams "
        "and drawn settings only; alternative: seeds.",
    )
    seeds: SubjectSeeds | None = Field(
        None,
        description="Model seeds and data seeds, crossed with each other and with all other "
        "factors; all rules and batch sizes of a network and a task have the same ones.",
    )
    batch_size: Annotated[Any, SettingReader(Count)] = Field(
        32, description="Images in a training step; every value of a list is used."
    )
    loss: Annotated[Any, SettingReader(LossName)] = Field(
        CROSS_ENTROPY,
        description="Loss that subjects minimise: softmax cross-entropy, or half the squared "
        "distance of the scores from the one-hot target; every value of a list is used.",
    )
    curriculum: Annotated[tuple[CurriculumSpec, ...], ListReader(CurriculumSpec, 1)] = Field(
        SHUFFLED,
        validate_default=True,
        description="Choice and order of the training images: names, or mappings of settings.",
    )
    schedule: Annotated[tuple[ScheduleSpec, ...], ListReader(ScheduleSpec, 1)] = Field(
        CONSTANT,
        validate_default=True,
        description="Change of all learning rates during training: names, or mappings of settings.",
    )
    start_from: StartFrom | None = Field(
        None,
        description="What subjects learn before visit 0: a mapping of task, rule, optimizer, and "
        "steps or epochs; what is not given is the subject's own.",
    )
    epochs: Count | None = Field(
        None,
        description="Length of training in epochs, each of as many images as there are training "
        "images; alternative: steps.",
    )
    steps: Count | None = Field(
        None, description="Length of training in steps; alternative: epochs."
    )
    visits: Annotated[int | tuple[int, ...], UnionReader((Visits, VisitSteps))] = Field(
        21,
        description="Visits, at which subjects are preserved and can be recorded: their number, "
        "evenly spread from before learning (step 0) to the end, or a list of training steps.",
    )
    paired: Annotated[tuple[PairedStream, ...], ListReader(PairedStream)] = Field(
        (),
        description="Random streams that subjects of different rules share: subject r of every "
        "rule, with the same architecture, task, batch size and loss, has the same draws. Such "
        "subjects are a pair, which every fold keeps together. 'settings' are numbers drawn from "
        "distributions; each has the same quantile in the range of every rule.",
    )
    preserve: bool = Field(
        True,
        description="Whether the parameters of each subject are stored at each visit, so that it "
        "can be recorded later. If false, the probes of the protocol record during training, and "
        "only what they keep is stored: for networks whose parameters take too much room.",
    )
    precision: Precision = Field(
        SINGLE,
        description="Precision of training. 'single': float32. 'mixed': bfloat16 for the signals "
        "of networks and their products with weights, float32 for parameters, steps of the "
        "optimizer and losses; faster, and with half the memory of signals, where a processor has "
        "instructions for bfloat16. Subjects are evaluated and recorded in float32 either way.",
    )
    cohort: Annotated[int | Literal["measured"], UnionReader((Count, Literal["measured"]))] = Field(
        "measured",
        description="Most subjects trained together as one population; 'measured' takes the "
        "fastest on this machine, a number makes results repeatable to the last bit on others. "
        "Networks that cannot be one population need 1, and are recorded one by one too.",
    )

    @model_validator(mode="after")
    def _agree(self) -> Subjects:
        if self.count > _MOST_SUBJECTS:  # the checks below list all of them
            key = "replicates" if self.seeds is None else "seeds"
            raise refusals([((key,), self._too_many(key))])
        faults = [
            *self.training.faults(),
            *self._replicate_faults(),
            *self._rule_faults(),
            *self._pair_faults(),
            *self._loss_faults(),
            *self._network_faults(),
            *self._factor_faults(),
            *self._start_faults(),
            *_repeated("architectures", self.architectures),
            *_repeated("tasks", self.tasks),
            *_repeated("curriculum", self.curriculum),
            *_repeated("schedule", self.schedule),
        ]
        raise_faults(faults)
        return self

    def _too_many(self, key: str) -> str:
        factors = " x ".join(f"{name} {n:,}" for name, n in self._factors().items() if n > 1)
        return (
            f"these are {self.count:,} subjects ({factors}); at most {_MOST_SUBJECTS:,} are "
            f"possible. Give fewer values or {key}."
        )

    def _replicate_faults(self) -> Iterator[tuple[Place, str]]:
        """Yield what does not agree in the number of subjects of each rule."""
        own = [index for index, entry in enumerate(self.rules) if entry.replicates is not None]
        if self.seeds is None:
            if self.replicates is None and len(own) < len(self.rules):
                words = "missing key: replicates or seeds, the number of subjects of each rule."
                yield (), words
            return
        alone = "seeds give the number of subjects of each rule. Keep one of the two."
        if self.replicates is not None:
            yield ("replicates",), alone
        for index in own:
            yield ("rules", index, "replicates"), alone
        if self.paired:
            words = "seeds are given, which already pair subjects. Keep one of the two."
            yield ("paired",), words

    def _rule_faults(self) -> Iterator[tuple[Place, str]]:
        first: dict[str, int] = {}
        for index, entry in enumerate(self.rule_entries):
            if entry.optimizer is None:
                words = "no optimizer. Give this rule one, or all of them: subjects.optimizer."
                yield ("rules", index), words
            if entry.label in first:
                words = (
                    f"{entry.label!r} is the label of rules[{first[entry.label]}] too. Give this "
                    "one a label of its own, so that a decoder can tell them apart."
                )
                yield ("rules", index, "label"), words
            first.setdefault(entry.label, index)

    def _network_faults(self) -> Iterator[tuple[Place, str]]:
        """Yield architectures of a task that are not listed, and those that learn no task."""
        names = [each.plugin.name for each in self.architectures]
        unknown = [
            (("tasks", index, "architectures"), name)
            for index, task in enumerate(self.tasks)
            for name in task.architectures
            if name not in names
        ]
        for place, name in unknown:
            yield place, str(UnknownName("architecture of these subjects", name, names))
        if unknown:
            return
        for index, architecture in enumerate(self.architectures):
            if not any(task.belongs_to(architecture) for task in self.tasks):
                words = f"no task names {names[index]!r} among its architectures. Remove it."
                yield ("architectures", index), words

    def _factor_faults(self) -> Iterator[tuple[Place, str]]:
        """Yield factors of architectures that are not listed."""
        names = [each.plugin.name for each in self.architectures]
        for name in self.learning_rate_factors:
            if name not in names:
                words = str(UnknownName("architecture of these subjects", name, names))
                yield ("learning_rate_factors", name), words

    def _loss_faults(self) -> Iterator[tuple[Place, str]]:
        """Yield losses that no task of the protocol can have, or that some could only repeat."""
        for name in getattr(self.loss, "values", (self.loss,)):
            if LOSSES[name].targets != "classes":
                words = f"{name!r} is the loss of tasks that name it themselves. Leave it out."
                yield ("loss",), words
                return
        own = [each.plugin for each in self.tasks if each.plugin.own_loss]
        if own and Settings(loss=self.loss).size > 1:
            words = (
                f"several losses, but task {own[0].name!r} has its own, {own[0].own_loss}. Give "
                "one loss here, or leave this task out."
            )
            yield ("loss",), words

    def _pair_faults(self) -> Iterator[tuple[Place, str]]:
        """Yield settings that differ within a pair although its subjects share draws for them."""
        key = "paired" if self.seeds is None else "seeds"
        if not self.shared_streams or "settings" in self.shared_streams:
            return
        specs = [*self.architectures, *self.tasks, *self.curriculum, *self.schedule]
        start = [each.settings for each in self._start]
        sections = [*(each.settings for each in specs), *start, self.shared]
        drawn = [path for each in sections for path in each.space]
        if drawn:
            add = "Add 'settings', or give" if key == "paired" else "Give"
            words = (
                f"{drawn[0]!r} is drawn from a distribution for each subject, so that the networks "
                f"or tasks of a pair would differ. {add} it a value or a list."
            )
            yield (key,), words

    def _start_faults(self) -> Iterator[tuple[Place, str]]:
        for start in self._start:
            for place, words in start.faults(self.batch_size, self.shared_streams):
                yield ("start_from", *place), words

    @property
    def shared_streams(self) -> tuple[PairedStream, ...]:
        """Random streams that subjects of a pair share, sorted."""
        return tuple(sorted(set(self.paired))) if self.seeds is None else OF_MODEL

    @property
    def of_each_rule(self) -> int:
        """Subjects of each rule with the same settings, for rules without a number of their own."""
        return (self.replicates or 0) if self.seeds is None else self.seeds.count

    @property
    def _start(self) -> tuple[StartFrom, ...]:
        return () if self.start_from is None else (self.start_from,)

    @property
    def rule_entries(self) -> tuple[RuleEntry, ...]:
        """Rules, each with its own optimizer or the shared one."""
        return tuple(
            replace(each, optimizer=each.optimizer or self.optimizer) for each in self.rules
        )

    @property
    def shared(self) -> Settings:
        """Settings outside plug-ins that may have several values: batch size and loss."""
        return Settings(batch_size=self.batch_size, loss=self.loss)

    @property
    def networks(self) -> tuple[tuple[PluginSpec, TaskEntry], ...]:
        """Architectures with the tasks that they learn."""
        pairs = itertools.product(self.architectures, self.tasks)
        return tuple(pair for pair in pairs if pair[1].belongs_to(pair[0]))

    @property
    def count(self) -> int:
        """Number of subjects."""
        return math.prod(self._factors().values())

    def _factors(self) -> dict[str, int]:
        """Return the factors of the number of subjects, by what they count."""
        specs = {"architectures": self.architectures, "tasks": self.tasks}
        sizes = {name: sum(each.settings.size for each in of) for name, of in specs.items()}
        pairs = sum(one.settings.size * other.settings.size for one, other in self.networks)
        if pairs != math.prod(sizes.values()):
            sizes = {"architectures with their tasks": pairs}
        return {
            **sizes,
            "batch sizes": Settings(batch_size=self.batch_size).size,
            "losses": Settings(loss=self.loss).size,
            "curricula": sum(each.settings.size for each in self.curriculum),
            "schedules": sum(each.settings.size for each in self.schedule),
            "settings of start_from": sum(each.settings.size for each in self._start) or 1,
            f"rules with their values and {'replicates' if self.seeds is None else 'seeds'}": sum(
                each.settings.size * (each.replicates or self.of_each_rule)
                for each in self.rule_entries
            ),
        }

    @property
    def training(self) -> TrainingLength:
        """Length of training and the steps of the visits."""
        images = [bounds_of(task.settings["train_images"]) for task in self.tasks]
        every = tuple(itertools.chain.from_iterable(images))
        return TrainingLength(
            self.epochs, self.steps, self.visits, every, bounds_of(self.batch_size)
        )

    @property
    def length(self) -> int:
        """Steps of training, the same for every subject."""
        [steps] = self.training.lengths
        return steps

    @property
    def visit_steps(self) -> tuple[int, ...]:
        """Training steps at which every subject is preserved: ascending, the first 0."""
        return self.training.visit_steps

    def written(self) -> dict[str, Any]:
        """Return the section as in a protocol, without defaults of settings added later."""
        keys = {key: getattr(self, key) for key in type(self).model_fields if key != "optimizer"}
        # Defaults are omitted to match stores and searches from before these were settings.
        omitted: dict[str, Any] = {"epochs": None, "steps": None, "loss": CROSS_ENTROPY}
        omitted |= {"paired": (), "preserve": True, "start_from": None, "seeds": None}
        omitted |= {"replicates": None, "learning_rate_factors": {}}
        omitted["precision"] = SINGLE
        written = {k: v for k, v in keys.items() if k not in omitted or v != omitted[k]}
        for key, usual in (("curriculum", SHUFFLED), ("schedule", CONSTANT)):
            if [each.plugin.name for each in keys[key]] == [usual]:
                del written[key]
        return {**written, "rules": self.rule_entries}

    def identifying(self) -> dict[str, Any]:
        """Return the section without settings that tell where files are."""
        tasks = [PluginSpec.identifying(each) for each in self.tasks]  # with their architectures
        found = {**self.written(), "tasks": tasks}
        if self.start_from is not None:
            found["start_from"] = self.start_from.identifying()
        return found


def _repeated(key: str, specs: tuple[PluginSpec, ...]) -> Iterator[tuple[Place, str]]:
    """Yield entries that describe the same plug-in twice: their subjects would be identical."""
    seen: dict[str, int] = {}
    for index, spec in enumerate(specs):
        for point in spec.points():
            first = seen.setdefault(json.dumps(plain(point), sort_keys=True), index)
            if first != index:
                words = f"is also in {key}[{first}], with the same settings. Remove one."
                yield (key, index), words
                break
