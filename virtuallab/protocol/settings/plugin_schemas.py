"""JSON Schemas of the settings of plug-ins, and plug-ins whose settings cannot be read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Literal

from pydantic import Field, GetJsonSchemaHandler
from pydantic.errors import PydanticUserError

from virtuallab.errors import BrokenPlugin
from virtuallab.fields import SectionPlugin
from virtuallab.protocol.messages.explain import refusal
from virtuallab.protocol.settings.section import Section, definition
from virtuallab.registry import Registry
from virtuallab.text import printable


def section_schema(
    base: type[SectionPlugin],
    section: Callable[..., type[Section]],
    prefix: str,
    of: GetJsonSchemaHandler,
) -> dict[str, Any]:
    """JSON Schema of the sections of all plug-ins of a kind.

    Parameters
    ----------
    base : type
    section : callable
        Makes the model of a plug-in's settings, with further keys.
    prefix : str
        Of the names of the definitions.
    of : GetJsonSchemaHandler
    """

    def named(name: str) -> type[Section]:
        default = name if name == base.default_name else ...
        key = (Literal[name], Field(default, description="Which plug-in."))
        return section(base.registry[name], name=key)

    found = plugin_definitions(base.registry, named, of, prefix)
    return found[0] if len(found) == 1 else {"anyOf": found}


def plugin_definitions(
    registry: Registry[Any],
    section: Callable[[str], type[Section]],
    of: GetJsonSchemaHandler,
    prefix: str = "",
    names: Sequence[str] | None = None,
) -> list[dict[str, Any]]:
    """Return a reference to the JSON Schema of each plug-in's section.

    A plug-in from outside whose settings have types that pydantic does not know is left out, with a
    warning.

    Parameters
    ----------
    registry : Registry
    section : callable
        Returns the section of a plug-in by its name.
    of : GetJsonSchemaHandler
    prefix : str
        Of the names of the definitions.
    names : sequence of str, optional
        Of the plug-ins, by default all of the registry.
    """
    found = []
    for name in list(registry) if names is None else names:
        label = f"{prefix}{registry.kind.replace(' ', '-')}-{name}"
        try:
            found.append(definition(section(name), label, of))
        except PydanticUserError as error:
            registry.discard(name, _unreadable(registry[name], error))
    return found


@contextmanager
def refuse_unreadable(registry: Registry[Any], plugin: Any) -> Iterator[None]:
    """Refuse a plug-in whose settings have types that pydantic does not know, when they are read.

    Raises
    ------
    ValidationError
        With the reason.
    """
    try:
        yield
    except PydanticUserError as error:
        reason = _unreadable(plugin, error)
        raise refusal(str(BrokenPlugin(registry.kind, plugin.name, reason))) from None


def _unreadable(plugin: Any, error: PydanticUserError) -> str:
    """Return in one line why the settings of a plug-in cannot be read."""
    reason = printable(str(error).partition("\n")[0].partition(". Set ")[0])
    return f"{plugin.__module__}.{plugin.__qualname__}: its settings cannot be read: {reason}"
