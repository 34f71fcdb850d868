"""What a protocol says: who learns what, what is recorded, and how it is decoded."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import Annotated, Any, Literal

from annotated_types import Ge, Le, Len, Lt
from pydantic import AfterValidator, Field, PrivateAttr, model_validator

from virtuallab.decoder import Analysis
from virtuallab.errors import UnknownName
from virtuallab.fields import Count, NonNegativeInt
from virtuallab.probe import Probe
from virtuallab.protocol.messages.explain import Place, refusal
from virtuallab.protocol.reading.yaml import Source
from virtuallab.protocol.sections.compare import Compare
from virtuallab.protocol.sections.power import Power
from virtuallab.protocol.sections.rule_entry import RULE, Name, Regime
from virtuallab.protocol.sections.search import Search
from virtuallab.protocol.sections.training_length import duration_faults, lengths
from virtuallab.protocol.settings.plugin_spec import Draft, PluginOf, plain, size_of
from virtuallab.protocol.settings.section import Either, ListOf, OneOf, Section, Written
from virtuallab.protocol.settings.setting_reader import Swept
from virtuallab.registry import ARCHITECTURES, CLASSIFIERS, OPTIMIZERS, TASKS
from virtuallab.vocabulary import CROSS_ENTROPY, LOSSES

_MOST_SUBJECTS = 50_000  # those of an experiment are listed and drawn one by one

LossName = Annotated[str, OneOf("loss", LOSSES)]
Visits = Annotated[int, Ge(2), Le(10_000)]
VisitSteps = Annotated[tuple[NonNegativeInt, ...], Len(1)]


class Subjects(Section):
    """Who learns what: every architecture with every task, batch size, loss and rule."""

    architectures: Annotated[
        tuple[Annotated[Draft, PluginOf(ARCHITECTURES)], ...],
        ListOf(Annotated[Draft, PluginOf(ARCHITECTURES)], 1),
        Field(description="What the networks are made of: names, or mappings of settings."),
    ]
    tasks: Annotated[
        tuple[Annotated[Draft, PluginOf(TASKS)], ...],
        ListOf(Annotated[Draft, PluginOf(TASKS)], 1),
        Field(description="What they learn."),
    ]
    rules: Annotated[
        tuple[Annotated[Regime, RULE], ...],
        ListOf(Annotated[Regime, RULE], 1),
        Field(description="What they learn by; each entry is one answer a decoder can give."),
    ]
    optimizer: Annotated[Draft, PluginOf(OPTIMIZERS)] | None = Field(
        None, description="Optimizer of the rules that name none of their own."
    )
    replicates: Count = Field(
        description="Subjects of each kind: alike but for their random streams and drawn settings."
    )
    batch_size: Annotated[Any, Swept(Count)] = Field(
        32, description="Images in a training step; a list tries each."
    )
    loss: Annotated[Any, Swept(LossName)] = Field(
        CROSS_ENTROPY,
        description="What subjects minimise: softmax cross-entropy, or half the squared distance "
        "of the scores from the one-hot target; a list tries each.",
    )
    epochs: Count | None = Field(
        None, description="Length of training in passes through the training images; or steps."
    )
    steps: Count | None = Field(None, description="Length of training in steps; or epochs.")
    visits: Annotated[int | tuple[int, ...], Either((Visits, VisitSteps))] = Field(
        21,
        description="When subjects are preserved and can be recorded: how many moments, evenly "
        "spread from before learning (step 0) to the end, or a list of steps.",
    )
    cohort: Annotated[int | Literal["measured"], Either((Count, Literal["measured"]))] = Field(
        "measured",
        description="Subjects trained together as one population, at most; 'measured' takes the "
        "fastest on this machine, a number makes results repeatable to the last bit elsewhere.",
    )

    @model_validator(mode="after")
    def _agree(self) -> Subjects:
        if self.count > _MOST_SUBJECTS:  # nothing of so many can be looked at one by one
            raise refusal([(("replicates",), self._too_many())], None)
        faults = [
            *duration_faults(self),
            *self._rule_faults(),
            *_repeated("architectures", self.architectures),
            *_repeated("tasks", self.tasks),
        ]
        if faults:
            raise refusal(faults, None)
        return self

    def _too_many(self) -> str:
        factors = " x ".join(f"{name} {n:,}" for name, n in self._factors().items() if n > 1)
        return (
            f"these are {self.count:,} subjects ({factors}); at most {_MOST_SUBJECTS:,} are "
            "possible. Give fewer values or replicates."
        )

    def _rule_faults(self) -> Iterator[tuple[Place, str]]:
        first: dict[str, int] = {}
        for index, regime in enumerate(self.rules):
            if regime.optimizer is None and self.optimizer is None:
                words = "no optimizer. Give this rule one, or all of them: subjects.optimizer."
                yield ("rules", index), words
            if regime.label in first:
                words = (
                    f"{regime.label!r} is the label of rules[{first[regime.label]}] too. Give this "
                    "one a label of its own, so that a decoder can tell them apart."
                )
                yield ("rules", index, "label"), words
            first.setdefault(regime.label, index)

    @property
    def count(self) -> int:
        """How many subjects there are."""
        return math.prod(self._factors().values())

    def _factors(self) -> dict[str, int]:
        """Numbers whose product is that of the subjects, by what they count."""
        default = self.optimizer.size if self.optimizer else 1
        return {
            "architectures": sum(each.size for each in self.architectures),
            "tasks": sum(each.size for each in self.tasks),
            "batch sizes": size_of({"batch size": self.batch_size}),
            "losses": size_of({"loss": self.loss}),
            "rules with their values and replicates": sum(
                each.size
                * (1 if each.optimizer else default)
                * (each.replicates or self.replicates)
                for each in self.rules
            ),
        }

    @property
    def length(self) -> int:
        """Steps of training, the same for every subject."""
        [steps] = lengths(self)
        return steps

    def written(self) -> dict[str, Any]:
        """Return it as a protocol writes it, every setting spelled out but the usual loss."""
        # Stores and searches made before there was a choice of loss still know their protocol.
        loss = {} if self.loss == CROSS_ENTROPY else {"loss": plain(self.loss)}
        length = {"epochs": self.epochs} if self.steps is None else {"steps": self.steps}
        return {
            "architectures": [each.written() for each in self.architectures],
            "tasks": [each.written() for each in self.tasks],
            "rules": [each.written(self.optimizer) for each in self.rules],
            "replicates": self.replicates,
            "batch_size": plain(self.batch_size),
            **loss,
            **length,
            "visits": plain(self.visits),
            "cohort": self.cohort,
        }


def _repeated(key: str, drafts: tuple[Draft, ...]) -> Iterator[tuple[Place, str]]:
    """Yield entries that describe the same plug-in twice: their subjects would be identical."""
    seen: dict[str, int] = {}
    for index, draft in enumerate(drafts):
        for point in draft.points():
            first = seen.setdefault(json.dumps(point.written(), sort_keys=True), index)
            if first != index:
                yield (
                    (key, index),
                    f"is also in {key}[{first}], with the same settings. Remove one.",
                )
                break


def _known_classifiers(analysis: Analysis) -> Analysis:
    faults: list[tuple[Place, str]] = []
    for index, name in enumerate(analysis.classifiers):
        try:
            CLASSIFIERS[name]
        except UnknownName as error:
            faults.append((("classifiers", index), str(error)))
    if faults:
        raise refusal(faults, analysis)
    return analysis


class Protocol(Section):
    """One virtual experiment."""

    schema_version: Literal[1] = Field(description="Version of this format.")
    name: Name = Field(description="Name of the experiment; it is kept in runs/NAME.zarr.")
    question: str = Field("", description="What the experiment asks, in a sentence.")
    seed: Annotated[int, Ge(0), Lt(2**63)] = Field(
        description="Every random stream derives from it and from its owner."
    )
    subjects: Subjects
    probes: dict[Name, Annotated[Probe, Written(Probe)]] = Field(
        {}, description="Recording designs, by name."
    )
    analyses: dict[
        Name, Annotated[Analysis, Written(Analysis), AfterValidator(_known_classifiers)]
    ] = Field({}, description="Ways to ask which rule was at work, by name.")
    search: Search | None = Field(
        None, description="How `virtuallab search` tunes open settings; a run leaves it aside."
    )
    compare: Compare | None = Field(
        None, description="Which designs `virtuallab compare` compares; a run leaves it aside."
    )
    power: Power | None = Field(
        None, description="What `virtuallab power` is to reach; a run leaves it aside."
    )

    _source: Source = PrivateAttr(default_factory=Source)

    @model_validator(mode="after")
    def _apart(self) -> Protocol:
        """Names are those of folders, and many disks do not tell capitals from small letters."""
        faults: list[tuple[Place, str]] = []
        for key in ("probes", "analyses"):
            seen: dict[str, str] = {}
            for name in getattr(self, key):
                first = seen.setdefault(name.casefold(), name)
                if first != name:
                    words = f"differs from {first!r} in capitals alone. Give it another name."
                    faults.append(((key, name), words))
        if faults:
            raise refusal(faults, None)
        return self

    @property
    def text(self) -> str:
        """The protocol as it was written, comments included; overrides are not in it."""
        return self._source.text

    @property
    def overrides(self) -> tuple[str, ...]:
        """Settings that were given apart from the file."""
        return self._source.overrides

    def resolved(self) -> dict[str, Any]:
        """All that it says, defaults and overrides included, as plain data that reads back."""
        return {
            "schema_version": self.schema_version,
            "name": self.name,
            "question": self.question,
            "seed": self.seed,
            "subjects": self.subjects.written(),
            "probes": plain(self.probes),
            "analyses": plain(self.analyses),
            **({} if self.search is None else {"search": self.search.model_dump()}),
            **({} if self.compare is None else {"compare": plain(self.compare.written())}),
            **({} if self.power is None else {"power": plain(self.power.written())}),
        }
