"""The model of a protocol: subjects, probes, analyses, and the sections of further commands."""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Literal

from annotated_types import Ge, Le, Len, Lt
from pydantic import AfterValidator, Field, PrivateAttr, model_validator

from virtuallab.decoder import Analysis
from virtuallab.errors import Fault
from virtuallab.fields import Count, NonNegativeInt
from virtuallab.probes import Probe
from virtuallab.protocol.messages.explain import raise_faults, refusals
from virtuallab.protocol.messages.places import Place, SourceLines, place_of
from virtuallab.protocol.sections.compare import ClassifierName, Compare
from virtuallab.protocol.sections.power import Power
from virtuallab.protocol.sections.rule_entry import (
    OptimizerSpec,
    RuleEntry,
    RuleEntryReader,
)
from virtuallab.protocol.sections.search import Search
from virtuallab.protocol.sections.training_length import TrainingLength
from virtuallab.protocol.settings.distributions import bounds_of
from virtuallab.protocol.settings.plugin_reader import PluginReader
from virtuallab.protocol.settings.plugin_spec import PluginSpec, Settings, plain
from virtuallab.protocol.settings.readers import (
    DataclassReader,
    ListReader,
    NameReader,
    UnionReader,
    read_entries,
)
from virtuallab.protocol.settings.section import Name, Section
from virtuallab.protocol.settings.setting_reader import SettingReader
from virtuallab.registry import ARCHITECTURES, LOSSES, TASKS
from virtuallab.seeds import PairedStream
from virtuallab.vocabulary import CROSS_ENTROPY

_MOST_SUBJECTS = 50_000  # those of an experiment are listed and drawn one by one

LossName = Annotated[str, NameReader("loss", LOSSES)]
Visits = Annotated[int, Ge(2), Le(10_000)]
ArchitectureSpec = Annotated[PluginSpec, PluginReader(ARCHITECTURES)]
TaskSpec = Annotated[PluginSpec, PluginReader(TASKS)]
RuleEntryOf = Annotated[RuleEntry, RuleEntryReader()]
VisitSteps = Annotated[tuple[NonNegativeInt, ...], Len(1)]


class Subjects(Section):
    """The subjects: every architecture with every task, batch size, loss and rule."""

    architectures: Annotated[
        tuple[ArchitectureSpec, ...],
        ListReader(ArchitectureSpec, 1),
        Field(description="Architectures of the networks: names, or mappings of settings."),
    ]
    tasks: Annotated[
        tuple[TaskSpec, ...],
        ListReader(TaskSpec, 1),
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
    replicates: Count = Field(
        description="Subjects of each kind, which differ in random streams and drawn settings only."
    )
    batch_size: Annotated[Any, SettingReader(Count)] = Field(
        32, description="Images in a training step; every value of a list is used."
    )
    loss: Annotated[Any, SettingReader(LossName)] = Field(
        CROSS_ENTROPY,
        description="Loss that subjects minimise: softmax cross-entropy, or half the squared "
        "distance of the scores from the one-hot target; every value of a list is used.",
    )
    epochs: Count | None = Field(
        None,
        description="Length of training in passes through the training images; alternative: steps.",
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
    cohort: Annotated[int | Literal["measured"], UnionReader((Count, Literal["measured"]))] = Field(
        "measured",
        description="Most subjects trained together as one population; 'measured' takes the "
        "fastest on this machine, a number makes results repeatable to the last bit on others. "
        "Networks that cannot be one population need 1, and are recorded one by one too.",
    )

    @model_validator(mode="after")
    def _agree(self) -> Subjects:
        if self.count > _MOST_SUBJECTS:  # the checks below list all of them
            raise refusals([(("replicates",), self._too_many())])
        faults = [
            *self.training.faults(),
            *self._rule_faults(),
            *self._pair_faults(),
            *_repeated("architectures", self.architectures),
            *_repeated("tasks", self.tasks),
        ]
        raise_faults(faults)
        return self

    def _too_many(self) -> str:
        factors = " x ".join(f"{name} {n:,}" for name, n in self._factors().items() if n > 1)
        return (
            f"these are {self.count:,} subjects ({factors}); at most {_MOST_SUBJECTS:,} are "
            "possible. Give fewer values or replicates."
        )

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

    def _pair_faults(self) -> Iterator[tuple[Place, str]]:
        """Yield settings that differ within a pair although its subjects share draws for them."""
        if not self.paired or "settings" in self.paired:
            return
        specs = [*self.architectures, *self.tasks]
        drawn = [path for each in specs for path in each.settings.space] + [*self.shared.space]
        if drawn:
            words = (
                f"{drawn[0]!r} is drawn from a distribution for each subject, so that the networks "
                "or tasks of a pair would differ. Add 'settings', or give it a value or a list."
            )
            yield ("paired",), words

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
    def count(self) -> int:
        """Number of subjects."""
        return math.prod(self._factors().values())

    def _factors(self) -> dict[str, int]:
        """Return the factors of the number of subjects, by what they count."""
        return {
            "architectures": sum(each.settings.size for each in self.architectures),
            "tasks": sum(each.settings.size for each in self.tasks),
            "batch sizes": Settings(batch_size=self.batch_size).size,
            "losses": Settings(loss=self.loss).size,
            "rules with their values and replicates": sum(
                each.settings.size * (each.replicates or self.replicates)
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
        """Return the section as in a protocol, without a default loss or an empty ``paired``."""
        keys = {key: getattr(self, key) for key in type(self).model_fields if key != "optimizer"}
        # Defaults are omitted to match stores and searches from before these were settings.
        omitted = {"epochs": None, "steps": None, "loss": CROSS_ENTROPY, "paired": ()}
        written = {k: v for k, v in keys.items() if k not in omitted or v != omitted[k]}
        return {**written, "rules": self.rule_entries}


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


def _known_classifiers(analysis: Analysis) -> Analysis:
    _, faults = read_entries(ClassifierName, analysis.classifiers, ("classifiers",))
    raise_faults(faults)
    return analysis


class Protocol(Section):
    """A virtual experiment: subjects, probes and analyses."""

    schema_version: Literal[1] = Field(description="Version of this format.")
    name: Name = Field(description="Name of the experiment; it is kept in runs/NAME.zarr.")
    question: str = Field("", description="Question of the experiment, in one sentence.")
    seed: Annotated[int, Ge(0), Lt(2**63)] = Field(
        description="Seed from which every random stream derives."
    )
    subjects: Subjects = Field(description="The networks, and how they learn.")
    probes: dict[Name, Annotated[Probe, DataclassReader(Probe)]] = Field(
        {}, description="Recording designs, by name."
    )
    analyses: dict[
        Name, Annotated[Analysis, DataclassReader(Analysis), AfterValidator(_known_classifiers)]
    ] = Field({}, description="Decoding analyses, by name.")
    search: Search | None = Field(
        None, description="How `virtuallab search` tunes open settings; `run` does not use it."
    )
    compare: Compare | None = Field(
        None, description="Which designs `virtuallab compare` compares; `run` does not use it."
    )
    power: Power | None = Field(
        None, description="What `virtuallab power` has to reach; `run` does not use it."
    )

    _source: SourceLines = PrivateAttr(default_factory=SourceLines)

    @model_validator(mode="after")
    def _names_differ(self) -> Protocol:
        """Refuse names that differ in capitals alone, which many disks do not distinguish."""
        faults: list[tuple[Place, str]] = []
        for key in ("probes", "analyses"):
            seen: dict[str, str] = {}
            for name in getattr(self, key):
                first = seen.setdefault(name.casefold(), name)
                if first != name:
                    words = f"differs from {first!r} in capitals alone. Give it another name."
                    faults.append(((key, name), words))
        raise_faults(faults)
        return self

    @property
    def text(self) -> str:
        """Text of the protocol as written, with comments and without overrides."""
        return self._source.text

    @property
    def overrides(self) -> tuple[str, ...]:
        """Settings that replace those of the file, ``"subjects.replicates=2"``."""
        return self._source.overrides

    @property
    def path(self) -> Path | None:
        """File from which the protocol was read, if any."""
        return self._source.path

    def fault(self, path: str, message: str) -> Fault:
        """Return a fault at a path such as ``probes.sparse.units``.

        It has the line of the path or of its nearest section, or the override that set the value.
        """
        return self._source.fault(place_of(path) or (), message)

    def resolved(self) -> dict[str, Any]:
        """Return all settings, defaults and overrides included, as plain data that reads back."""
        keys = {key: getattr(self, key) for key in type(self).model_fields}
        return {key: plain(each) for key, each in keys.items() if each is not None}
