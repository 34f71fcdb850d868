"""The directive ``protocol-reference``: tables of all keys of a protocol, from the code."""

from __future__ import annotations

import dataclasses
import inspect
import re
from collections.abc import Iterator
from typing import Any

from docutils import nodes
from docutils.statemachine import StringList
from pydantic import BaseModel
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from virtuallab import registry
from virtuallab.decoder import Analysis, Primary
from virtuallab.fields import written_settings
from virtuallab.probes import Calcium, Contacts, GaussianNoise, Probe, Series, Spikes
from virtuallab.protocol import Compare, Power, Prices, Protocol, Search
from virtuallab.protocol.sections.rule_entry import RULE
from virtuallab.protocol.sections.start_from import StartFrom
from virtuallab.protocol.sections.subjects import Subjects

KINDS = {
    "rules": registry.RULES,
    "optimizers": registry.OPTIMIZERS,
    "curricula": registry.CURRICULA,
    "schedules": registry.SCHEDULES,
    "architectures": registry.ARCHITECTURES,
    "tasks": registry.TASKS,
    "devices": registry.DEVICES,
    "statistics": registry.STATISTICS,
}
PLAIN = {
    "protocol": Protocol,
    "subjects": Subjects,
    "start_from": StartFrom,
    "rule": RULE.section_of(registry.RULES["backprop"]),  # the keys that all rules share
    "probe": Probe,
    "contacts": Contacts,
    "noise": GaussianNoise,
    "visits": Series,
    "primary": Primary,
    "spikes": Spikes,
    "calcium": Calcium,
    "analysis": Analysis,
    "search": Search,
    "compare": Compare,
    "power": Power,
    "prices": Prices,
}


def keys(cls: type[Any]) -> Iterator[tuple[str, Any, str]]:
    """Yield name, default and description of each documented key of a section or a plug-in."""
    if issubclass(cls, BaseModel):
        for name, field in cls.model_fields.items():
            default = dataclasses.MISSING if field.is_required() else field.default
            meaning = field.description or inspect.getdoc(field.annotation) or ""
            yield field.alias or name, default, meaning
    else:
        for field in dataclasses.fields(cls):
            if "doc" in field.metadata:
                yield field.name, field.default, field.metadata["doc"]


def table(cls: type[Any]) -> list[str]:
    """Return the lines of a list table with the keys of a section or a plug-in."""
    rows = list(keys(cls))
    if not rows:
        return ["It has no settings.", ""]
    lines = [".. list-table::", "   :header-rows: 1", "   :widths: 22 18 60", ""]
    lines += ["   * - key", "     - default", "     - description"]
    for name, default, meaning in rows:
        shown = "required" if default is dataclasses.MISSING else f"``{_shown(default)}``"
        lines += [f"   * - ``{name}``", f"     - {shown}", f"     - {meaning}"]
    return [*lines, ""]


def presets(device: type[Any]) -> list[str]:
    """Return the probe settings that a device presets, as one line."""
    parts = [f"``{key}: {_preset(value)}``" for key, value in device.presets.given().items()]
    place = "along all layers" if device.placement == "through" else "in each recorded layer"
    units = "1 unit" if device.units == 1 else f"{device.units} units"
    contacts = f"{units} {place}, radius {device.radius:g} um; " if device.units else ""
    return [f"Probe settings of this device: {contacts}{', '.join(parts)}.", ""]


def _preset(value: Any) -> str:
    if dataclasses.is_dataclass(value):
        settings = written_settings(type(value), vars(value))
        given = {k: v for k, v in settings.items() if v is not None and v != 0}
        shown = {k: v if isinstance(v, str) else f"{v:g}" for k, v in given.items()}
        return "{" + ", ".join(f"{k}: {v}" for k, v in shown.items()) + "}"
    return _shown(value)


def _shown(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, tuple):
        return f"[{', '.join(map(str, value))}]"
    if dataclasses.is_dataclass(value) or isinstance(value, BaseModel):
        return "{}"
    return str(value) or '""'


class ProtocolReference(SphinxDirective):
    """Directive with the keys of one section, or of all plug-ins of a kind, as in ``rules``."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Return the nodes that Sphinx parses from generated reStructuredText."""
        name = self.arguments[0]
        lines: list[str] = []
        if name in PLAIN:
            lines += table(PLAIN[name])
        else:
            for plugin in KINDS[name]:
                cls = KINDS[name][plugin]
                headings = r"(?m)^(Parameters|Raises|References|Notes)\n-+$"
                doc = re.sub(headings, r"*\1*\n", inspect.getdoc(cls) or "")
                keys_of = presets(cls) if name == "devices" else table(cls)
                lines += [f".. rubric:: ``{plugin}``", "", *doc.splitlines(), "", *keys_of]
        container = nodes.container()
        self.state.nested_parse(StringList(lines, source=name), self.content_offset, container)
        return list(container.children)


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directive."""
    app.add_directive("protocol-reference", ProtocolReference)
    return {"parallel_read_safe": True}
