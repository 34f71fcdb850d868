"""A rule as a protocol writes it: with its label, and perhaps optimizers of its own."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
from pydantic import Field, GetJsonSchemaHandler, StringConstraints

from virtuallab.fields import Count
from virtuallab.protocol.settings.plugin_spec import Draft, PluginOf, draft, name_key
from virtuallab.protocol.settings.section import Section, make_section
from virtuallab.protocol.settings.setting_reader import swept
from virtuallab.registry import OPTIMIZERS, RULES

Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_-]*$", max_length=60)]


@dataclass(frozen=True)
class Regime:
    """What one group of subjects learns by.

    Parameters
    ----------
    label : str
        What a decoder has to tell; the rule's name unless the protocol gives another.
    rule : Draft
    optimizer : Draft or None
        None where the protocol's default holds.
    feedback_optimizer : Draft or None
        Of the backward weights; None where they follow the other.
    replicates : int or None
        None where the protocol's number holds.
    """

    label: str
    rule: Draft
    optimizer: Draft | None
    feedback_optimizer: Draft | None = None
    replicates: int | None = None

    def draw(
        self, stream_of: Callable[[str], np.random.Generator], default: Draft | None
    ) -> dict[str, Any]:
        """Make the rule and optimizers of one subject, each setting from a stream of its own."""
        optimizer = self.optimizer or default
        assert optimizer is not None  # a protocol without either is refused when it is read
        own = self.feedback_optimizer
        return {
            "rule": self.rule.draw(stream_of),
            "optimizer": optimizer.draw(lambda key: stream_of(f"optimizer.{key}")),
            "feedback_optimizer": own
            and own.draw(lambda key: stream_of(f"feedback_optimizer.{key}")),
        }

    @property
    def size(self) -> int:
        """How many points the grids of what is its own have."""
        drafts = (self.rule, self.optimizer, self.feedback_optimizer)
        return math.prod(draft.size for draft in drafts if draft is not None)

    def points(self, default: Draft | None) -> tuple[Regime, ...]:
        """Every combination of the grids of its rule and its optimizer."""
        optimizer = self.optimizer or default
        assert optimizer is not None
        own = self.feedback_optimizer.points() if self.feedback_optimizer else (None,)
        return tuple(
            Regime(self.label, rule, each, feedback, self.replicates)
            for rule in self.rule.points()
            for each in optimizer.points()
            for feedback in own
        )

    def written(self, default: Draft | None) -> dict[str, Any]:
        """Return it as a protocol writes it, every setting spelled out."""
        optimizer = self.optimizer or default
        drafts = {"optimizer": optimizer, "feedback_optimizer": self.feedback_optimizer}
        own = {key: draft.written() for key, draft in drafts.items() if draft is not None}
        count = {} if self.replicates is None else {"replicates": self.replicates}
        return {**self.rule.written(), "label": self.label, **count, **own}


@dataclass(frozen=True)
class RegimeReader(PluginOf):
    """Reads a rule with its label and its optimizer."""

    def read(self, value: Any) -> Regime:  # type: ignore[override]
        """Find the rule of this name and read its settings, its label and its optimizer."""
        plugin, written = self.named(value)
        keys = dict(self.settings(regime_section, plugin, written))
        own = ("name", "label", "optimizer", "feedback_optimizer", "replicates")
        name, label, optimizer, feedback, count = (keys.pop(key) for key in own)
        return Regime(label or name, draft(plugin, keys), optimizer, feedback, count)

    def json_schema(self, of: GetJsonSchemaHandler) -> dict[str, Any]:
        """Return ``anyOf`` the names and the sections of all rules."""
        return self.alternatives(of, regime_section)


@functools.cache
def regime_section(plugin: Any) -> type[Section]:
    """Make the section that reads a rule with its label and its optimizer."""
    label = Field(None, description="What a decoder has to tell; the rule's name if not given.")
    optimizer = Field(None, description="Optimizer of this rule; subjects.optimizer if not given.")
    feedback = Field(
        None,
        description="Optimizer of the backward weights, where the rule changes them; like the "
        "rule's if not given, without its weight decay.",
    )
    count = Field(
        None,
        description="Subjects of this rule that are alike in all else; subjects.replicates if not "
        "given.",
    )
    made_by_optimizer = Annotated[Draft, PluginOf(OPTIMIZERS)] | None
    return make_section(
        plugin,
        swept,
        name=name_key(plugin),
        label=(Name | None, label),
        optimizer=(made_by_optimizer, optimizer),
        feedback_optimizer=(made_by_optimizer, feedback),
        replicates=(Count | None, count),
    )


RULE = RegimeReader(RULES)
