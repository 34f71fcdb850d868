"""Lists of the plug-ins that a protocol may name, and a page about one of them."""

from __future__ import annotations

import inspect
import json
import re
import textwrap
from collections.abc import Iterator
from shutil import get_terminal_size
from typing import Any

from virtuallab import registry
from virtuallab.errors import UnknownName, UserError
from virtuallab.subject.learning.locality import locality, needs_by_availability
from virtuallab.text import printable

KINDS = {
    "rules": registry.RULES,
    "optimizers": registry.OPTIMIZERS,
    "architectures": registry.ARCHITECTURES,
    "tasks": registry.TASKS,
    "losses": registry.LOSSES,
    "curricula": registry.CURRICULA,
    "schedules": registry.SCHEDULES,
    "null_models": registry.NULL_MODELS,
    "devices": registry.DEVICES,
    "noise_models": registry.NOISE_MODELS,
    "indicators": registry.INDICATORS,
    "statistics": registry.STATISTICS,
    "classifiers": registry.CLASSIFIERS,
}
_NARROWEST = 30  # columns in which a description is still pleasant to read


def listing(kind: str | None = None) -> str:
    """List the names a protocol may use, of one kind or of all, with a line about each.

    Names are never cut, however narrow the terminal.

    Parameters
    ----------
    kind : str, optional
        ``"rules"``, ``"optimizers"``, ...

    Raises
    ------
    UnknownName
        If there is no such kind.
    UserError
        If a plug-in has this name; with the command that describes it.
    """
    kinds = KINDS if kind is None else {kind: _kind(kind)}
    return "\n\n".join("\n".join(_section(each, plugins)) for each, plugins in kinds.items())


def page(kind: str, name: str) -> str:
    """Describe one plug-in: what it is, its equation, its settings, its source.

    Parameters
    ----------
    kind : str
        ``"rules"``, ``"optimizers"``, ...
    name : str
        As a protocol uses it.

    Raises
    ------
    UnknownName
        If there is no such kind, or no such plug-in of it.
    """
    plugin = _kind(kind)[name]
    summary, equations, text, sources = described(plugin.__doc__ or "")
    parts = [f"{_kind(kind).kind} {name}", _wrapped(summary)]
    if equations:
        parts.append("Equation (LaTeX)\n" + "\n".join(textwrap.indent(e, "  ") for e in equations))
    parts += [_wrapped(paragraph) for paragraph in text]
    if kind == "rules":
        parts += ["\n".join(_needs(plugin)), _wrapped(_gradient_angle(plugin.gradient_angle))]
        parts.append("\n".join(_groups(plugin)))
    parts.append("Settings\n" + "\n".join(_settings(kind, plugin)))
    if sources:
        parts.append("Source\n" + "\n".join(_wrapped(source, "  ") for source in sources))
    return printable("\n\n".join(parts))


def described(docstring: str) -> tuple[str, list[str], list[str], list[str]]:
    """Take the docstring of a plug-in apart.

    Parameters
    ----------
    docstring : str
        Its summary, paragraphs with equations among them, and a section of references.

    Returns
    -------
    tuple
        Its summary; its equations, in LaTeX; the paragraphs between; and the sources it names.
    """
    doc = inspect.cleandoc(docstring)
    body, _, references = doc.partition("\nReferences\n----------\n")
    body = re.split(r"\n\w+\n-{3,}\n", body)[0]  # without sections for programmers, such as Raises
    summary, *rest = body.strip().split("\n\n")
    equations = [_equation(part) for part in rest if part.startswith(".. math::")]
    text = [_plain(part) for part in rest if not part.startswith(".. math::")]
    sources = re.split(r"(?<=[.\"\d])\n(?=[A-Z])", references.strip()) if references else []
    return _plain(summary), equations, text, [_plain(source) for source in sources]


def _kind(kind: str) -> registry.Registry[Any]:
    if kind in KINDS:
        return KINDS[kind]
    error = UnknownName("kind of plug-in", kind, KINDS)
    found = [f"`virtuallab list {each} {kind}`" for each in KINDS if kind in KINDS[each].docs()]
    raise UserError(f"{error} A plug-in is described by {' or '.join(found)}.") if found else error


def _section(kind: str, plugins: registry.Registry[Any]) -> Iterator[str]:
    docs = plugins.docs()
    widest = 2 + max(map(len, docs), default=0)
    heading = f"{kind.ljust(widest)}  local" if kind == "rules" else kind
    column = max(widest, len(heading)) + 2
    width = get_terminal_size().columns
    yield heading
    for name in sorted(docs):
        summary = printable(described(docs[name])[0])
        first = f"  {name}".ljust(widest + 2)
        if kind == "rules":
            first += locality(plugins[name])
        if width - column >= _NARROWEST:
            yield textwrap.fill(
                summary, width, initial_indent=first.ljust(column), subsequent_indent=" " * column
            )
        else:
            yield first.rstrip()
            yield _wrapped(summary, "    ")


def _settings(kind: str, plugin: type[Any]) -> Iterator[str]:
    from virtuallab.protocol.settings.section import settings_of

    if kind == "devices":
        yield from _probe_settings(plugin)
        return
    settings = list(settings_of(plugin))
    if not settings:
        yield "  none" if kind != "classifiers" else "  none; the decoder chooses among its own"
    for setting in settings:
        default = "required" if setting.required else f"default {_written(setting.default)}"
        unit = f"; unit: {setting.unit}" if setting.unit else ""
        yield f"  {setting.name} ({default}{unit})"
        yield _wrapped(setting.doc, "      ")


def _probe_settings(device: type[Any]) -> Iterator[str]:
    """Lines about what a probe gets from a device."""
    from virtuallab.probes import Probe
    from virtuallab.protocol.settings.section import settings_of

    meanings = {setting.name: setting.doc for setting in settings_of(Probe)}
    if device.units:
        units = "1 unit" if device.units == 1 else f"{device.units} units"
        yield f"  Isolates {units}, each within {device.radius:g} um of a contact."
    yield "  What a probe gets from it where the protocol does not say otherwise:"
    for name, value in device.presets.given().items():
        yield f"  {name} ({_written(value)})"
        yield _wrapped(meanings[name], "      ")


def _written(value: Any) -> str:
    """Write a value as a protocol would."""
    from virtuallab.protocol.settings.plugin_spec import plain

    if hasattr(value, "name") and value == type(value)():
        return str(value.name)  # a plug-in with its default settings
    return value if isinstance(value, str) else json.dumps(plain(value))


def _needs(rule: type[Any]) -> Iterator[str]:
    """Lines about whether a rule is local, and what a synapse needs, by where that is to be had."""
    yield f"Local: {locality(rule)}. A synapse needs"
    for availability, found in needs_by_availability(rule).items():
        yield _wrapped(
            f"{availability.value}: {'; '.join(need.description for need in found)}", "  "
        )


def _groups(rule: type[Any]) -> Iterator[str]:
    """Lines about the groups of rules to which a rule belongs in reports."""
    for question, group in (
        ("How the error returns", rule.error_return),
        ("What the hidden layers improve", rule.objective),
    ):
        yield f"{question}: {group.value if group else 'not said'}."


def _gradient_angle(promised: Any) -> str:
    """Sentence about the angle that a rule promises."""
    if promised is None:
        return "Angle to the gradient: no promise."
    bounds = "{:g} to {:g} degrees before training".format(*promised.initial)
    if promised.trained:
        bounds += ", {:g} to {:g} after it".format(*promised.trained)
    return f"Angle to the gradient in a small perceptron: {bounds}."


def _equation(directive: str) -> str:
    lines = directive.removeprefix(".. math::").splitlines()
    return "\n".join(line.strip() for line in lines if line.strip())


def _plain(text: str) -> str:
    """Take the marks of reStructuredText out of a paragraph, and its line breaks."""
    bare = re.sub(r":[a-z]+:`([^`]*)`", r"\1", text).replace("``", "")
    return " ".join(bare.split())


def _wrapped(text: str, indent: str = "") -> str:
    width = max(get_terminal_size().columns, len(indent) + _NARROWEST)
    return textwrap.fill(
        text, width, initial_indent=indent, subsequent_indent=indent, break_long_words=False
    )
