"""An entry of ``subjects.rules``: a rule with its label, and perhaps optimizers of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any

import numpy as np
from pydantic import Field, GetJsonSchemaHandler

from virtuallab.fields import Count
from virtuallab.protocol.settings.plugin_reader import Keys, PluginReader
from virtuallab.protocol.settings.plugin_spec import PluginSpec, Settings, plain
from virtuallab.protocol.settings.readers import Reader
from virtuallab.protocol.settings.section import Name
from virtuallab.registry import OPTIMIZERS, RULES

OptimizerSpec = Annotated[PluginSpec, PluginReader(OPTIMIZERS)]


@dataclass(frozen=True)
class RuleEntry:
    """What one group of subjects learns by.

    Parameters
    ----------
    label : str
        What a decoder has to identify; the rule's name unless the protocol gives another.
    rule : PluginSpec
    optimizer : PluginSpec or None
        None where the protocol's default holds.
    feedback_optimizer : PluginSpec or None
        Of the backward weights; None where they follow the other.
    replicates : int or None
        None where the protocol's number holds.
    """

    label: str
    rule: PluginSpec
    optimizer: PluginSpec | None
    feedback_optimizer: PluginSpec | None = None
    replicates: int | None = None

    @property
    def optimizers(self) -> dict[str, PluginSpec]:
        """Its optimizers, by their keys."""
        both = {"optimizer": self.optimizer, "feedback_optimizer": self.feedback_optimizer}
        return {key: each for key, each in both.items() if each is not None}

    @property
    def settings(self) -> Settings:
        """Settings of its rule and its optimizers: ``amp``, ``optimizer.learning_rate``."""
        return Settings(self.rule.settings | self.optimizers)

    def points(self) -> tuple[RuleEntry, ...]:
        """Return every point of its grids; distributions stay open."""
        return tuple(self.replaced(each) for each in self.settings.combinations())

    def replaced(self, values: Mapping[str, Any]) -> RuleEntry:
        """Return it with some values replaced, given by path."""
        made = self.settings.replaced(values)
        optimizers = {key: made.pop(key) for key in self.optimizers}
        return replace(self, rule=PluginSpec(self.rule.plugin, made), **optimizers)

    def draw(self, stream_of: Callable[[str], np.random.Generator]) -> dict[str, Any]:
        """Make the rule and optimizers of one subject; see :meth:`Settings.drawn`."""
        entry = self.replaced(self.settings.drawn(stream_of))
        specs = {"rule": entry.rule, **entry.optimizers}
        return {key: each.build() for key, each in specs.items()}

    def written(self) -> dict[str, Any]:
        """Return it as a protocol writes it, every setting spelled out."""
        count = {} if self.replicates is None else {"replicates": self.replicates}
        return {**self.rule.written(), "label": self.label, **count, **plain(self.optimizers)}


class RuleEntryReader(Reader):
    """Reads a rule with its label and its optimizers."""

    def read(self, value: Any) -> RuleEntry:
        """Find the rule of this name and read its settings and the keys beside them."""
        rule, section = RULE.read_with_keys(value)
        keys = {key: getattr(section, key) for key in _keys()}
        return RuleEntry(keys.pop("label") or rule.plugin.name, rule, **keys)

    def json_schema(self, of: GetJsonSchemaHandler) -> dict[str, Any]:
        """Return ``anyOf`` the names and the sections of all rules."""
        return RULE.json_schema(of)


def _keys() -> Keys:
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
    return {
        "label": (Name | None, label),
        "optimizer": (OptimizerSpec | None, optimizer),
        "feedback_optimizer": (OptimizerSpec | None, feedback),
        "replicates": (Count | None, count),
    }


RULE = PluginReader(RULES, _keys)
