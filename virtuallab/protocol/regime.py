"""A rule as a protocol writes it: with its label, and perhaps an optimizer of its own."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
from pydantic import Field, GetJsonSchemaHandler, StringConstraints

from virtuallab.protocol.plugin import Draft, PluginOf, draft, name_key
from virtuallab.protocol.section import Section, make_section
from virtuallab.protocol.swept import swept
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
    """

    label: str
    rule: Draft
    optimizer: Draft | None

    def draw(
        self, stream_of: Callable[[str], np.random.Generator], default: Draft | None
    ) -> tuple[Any, Any]:
        """Make the rule and the optimizer of one subject, each setting from a stream of its own."""
        optimizer = self.optimizer or default
        assert optimizer is not None  # a protocol without either is refused when it is read
        return self.rule.draw(stream_of), optimizer.draw(lambda key: stream_of(f"optimizer.{key}"))

    def points(self, default: Draft | None) -> tuple[Regime, ...]:
        """Every combination of the grids of its rule and its optimizer."""
        optimizer = self.optimizer or default
        assert optimizer is not None
        return tuple(
            Regime(self.label, rule, each)
            for rule in self.rule.points()
            for each in optimizer.points()
        )

    def written(self, default: Draft | None) -> dict[str, Any]:
        """Return it as a protocol writes it, every setting spelled out."""
        optimizer = self.optimizer or default
        own = {} if optimizer is None else {"optimizer": optimizer.written()}
        return {**self.rule.written(), "label": self.label, **own}


@dataclass(frozen=True)
class RegimeReader(PluginOf):
    """Reads a rule with its label and its optimizer."""

    def read(self, value: Any) -> Regime:  # type: ignore[override]
        """Find the rule of this name and read its settings, its label and its optimizer."""
        plugin, written = self.named(value)
        keys = dict(regime_section(plugin).model_validate(written))
        name, label, optimizer = (keys.pop(key) for key in ("name", "label", "optimizer"))
        return Regime(label or name, draft(plugin, keys), optimizer)

    def json_schema(self, of: GetJsonSchemaHandler) -> dict[str, Any]:
        """Return ``anyOf`` the names and the sections of all rules."""
        return self.alternatives(of, regime_section)


@functools.cache
def regime_section(plugin: Any) -> type[Section]:
    """Make the section that reads a rule with its label and its optimizer."""
    label = Field(None, description="What a decoder has to tell; the rule's name if not given.")
    optimizer = Field(None, description="Optimizer of this rule; subjects.optimizer if not given.")
    return make_section(
        plugin,
        swept,
        name=name_key(plugin),
        label=(Name | None, label),
        optimizer=(Annotated[Draft, PluginOf(OPTIMIZERS)] | None, optimizer),
    )


RULE = RegimeReader(RULES)
