"""The directive ``protocol-reference``: every key of a protocol, from the code that reads it."""

from __future__ import annotations

import dataclasses
import inspect
import re
from typing import Any

from docutils import nodes
from docutils.statemachine import StringList
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from virtuallab import registry
from virtuallab.decoder import Analysis
from virtuallab.probe import Noise, Probe

KINDS = {
    "rules": registry.RULES,
    "optimizers": registry.OPTIMIZERS,
    "architectures": registry.ARCHITECTURES,
    "tasks": registry.TASKS,
}
PLAIN = {"probe": Probe, "noise": Noise, "analysis": Analysis}


def table(cls: type[Any]) -> list[str]:
    """Lines of a list table of a dataclass's settings."""
    fields = [field for field in dataclasses.fields(cls) if "doc" in field.metadata]
    if not fields:
        return ["No settings.", ""]
    lines = [".. list-table::", "   :header-rows: 1", "   :widths: 22 18 60", ""]
    lines += ["   * - key", "     - default", "     - meaning"]
    for field in fields:
        value = field.default
        shown = "required" if value is dataclasses.MISSING else f"``{_shown(value)}``"
        lines += [f"   * - ``{field.name}``", f"     - {shown}", f"     - {field.metadata['doc']}"]
    return [*lines, ""]


def _shown(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, tuple):
        return f"[{', '.join(map(str, value))}]"
    return "{}" if dataclasses.is_dataclass(value) else str(value)


class ProtocolReference(SphinxDirective):
    """``.. protocol-reference:: rules``: a section for each plug-in of a kind, or one class."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Write reStructuredText and let Sphinx read it."""
        name = self.arguments[0]
        lines: list[str] = []
        if name in PLAIN:
            lines += table(PLAIN[name])
        else:
            for plugin in KINDS[name]:
                cls = KINDS[name][plugin]
                doc = re.sub(
                    r"(?m)^(Parameters|References|Notes)\n-+$", r"*\1*\n", inspect.getdoc(cls) or ""
                )
                lines += [f".. rubric:: ``{plugin}``", "", *doc.splitlines(), "", *table(cls)]
        container = nodes.container()
        self.state.nested_parse(StringList(lines, source=name), self.content_offset, container)
        return list(container.children)


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directive."""
    app.add_directive("protocol-reference", ProtocolReference)
    return {"parallel_read_safe": True}
