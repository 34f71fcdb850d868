"""An entry of ``subjects.rules``: a rule with its label and optimizers."""

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
    """A plasticity rule of a protocol, with its label and optimizers.

    Parameters
    ----------
    label : str
        The class that a decoder has to identify; by default the rule's name.
    rule : PluginSpec
    optimizer : PluginSpec or None
        None for that of all rules.
    feedback_optimizer : PluginSpec or None
        Of the backward weights; None for the rule's optimizer.
    replicates : int or None
        None for the number of all rules.
    """

    label: str
    rule: PluginSpec
    optimizer: PluginSpec | None
    feedback_optimizer: PluginSpec | None = None
    replicates: int | None = None

    @property
    def optimizers(self) -> dict[str, PluginSpec]:
        """The optimizers that are given, by their keys."""
        both = {"optimizer": self.optimizer, "feedback_optimizer": self.feedback_optimizer}
        return {key: each for key, each in both.items() if each is not None}

    @property
    def settings(self) -> Settings:
        """Settings of the rule and its optimizers: ``amp``, ``optimizer.learning_rate``."""
        return Settings(self.rule.settings | self.optimizers)

    def points(self) -> tuple[RuleEntry, ...]:
        """Return every point of the grids; distributions stay open."""
        return tuple(self.replaced(each) for each in self.settings.combinations())

    def replaced(self, values: Mapping[str, Any]) -> RuleEntry:
        """Return the entry with other values of some settings, by path."""
        made = self.settings.replaced(values)
        optimizers = {key: made.pop(key) for key in self.optimizers}
        return replace(self, rule=PluginSpec(self.rule.plugin, made), **optimizers)

    def draw(self, stream_of: Callable[[str], np.random.Generator]) -> dict[str, Any]:
        """Return the rule and optimizers of one subject; see :meth:`Settings.drawn`."""
        entry = self.replaced(self.settings.drawn(stream_of))
        specs = {"rule": entry.rule, **entry.optimizers}
        return {key: each.build() for key, each in specs.items()}

    def written(self) -> dict[str, Any]:
        """Return the entry as in a protocol, with all settings."""
        count = {} if self.replicates is None else {"replicates": self.replicates}
        return {**self.rule.written(), "label": self.label, **count, **plain(self.optimizers)}


class RuleEntryReader(Reader):
    """Reader of a rule with its label and its optimizers."""

    def read(self, value: Any) -> RuleEntry:
        """Return the rule of this name with its settings, label and optimizers."""
        rule, section = RULE.read_with_keys(value)
        keys = {key: getattr(section, key) for key in _keys()}
        return RuleEntry(keys.pop("label") or rule.plugin.name, rule, **keys)

    def json_schema(self, of: GetJsonSchemaHandler) -> dict[str, Any]:
        """Return ``anyOf`` the names and the sections of all rules."""
        return RULE.json_schema(of)


def _keys() -> Keys:
    label = Field(
        None, description="Class that a decoder has to identify; the rule's name if not given."
    )
    optimizer = Field(None, description="Optimizer of this rule; subjects.optimizer if not given.")
    feedback = Field(
        None,
        description="Optimizer of the backward weights, where the rule changes them; like the "
        "rule's if not given, without its weight decay.",
    )
    count = Field(
        None,
        description="Subjects of this rule of each kind; subjects.replicates if not given.",
    )
    return {
        "label": (Name | None, label),
        "optimizer": (OptimizerSpec | None, optimizer),
        "feedback_optimizer": (OptimizerSpec | None, feedback),
        "replicates": (Count | None, count),
    }


RULE = PluginReader(RULES, _keys)
