"""The reader of a plug-in of a registry: ``name``, or ``{name: ..., setting: ...}``."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal, get_args

from pydantic import Field, GetJsonSchemaHandler

from virtuallab.errors import BrokenPlugin, UnknownName
from virtuallab.fields import RegisteredPlugin
from virtuallab.protocol.messages.explain import expected, refusal
from virtuallab.protocol.settings.plugin_schemas import plugin_definitions, refuse_unreadable
from virtuallab.protocol.settings.plugin_spec import PluginSpec, Settings
from virtuallab.protocol.settings.readers import Reader
from virtuallab.protocol.settings.section import Section, make_section, settings_of
from virtuallab.protocol.settings.setting_reader import setting_form
from virtuallab.registry import Registry, registry_of

Keys = Mapping[str, tuple[Any, Any]]  # name -> type and pydantic's FieldInfo


@dataclass(frozen=True)
class PluginReader(Reader):
    """Reader of a plug-in's name and its settings, each of which may have several values.

    Parameters
    ----------
    registry : Registry
    further_keys : callable, optional
        Returns further keys of the section.
    is_inner : bool
        Whether the plug-in is a setting of another one. It has then no such setting itself.
    """

    registry: Registry[Any]
    further_keys: Callable[[], Keys] = dict
    is_inner: bool = False

    def read(self, value: Any) -> PluginSpec:
        """Return the plug-in of this name with its settings."""
        return self.read_with_keys(value)[0]

    def read_with_keys(self, value: Any) -> tuple[PluginSpec, Section]:
        """Return a plug-in, and the section with the values of the further keys."""
        kind = self.registry.kind
        named = isinstance(value, str)
        if not named and not isinstance(value, dict):
            what = f"the name of {_article(kind)} {kind}, or a mapping of its settings"
            raise refusal(expected(what, value))
        written = {"name": value} if named else value
        if "name" not in written:  # listing all names imports all plug-ins
            known = self._names()
            words = f"missing key. Known: {', '.join(known)}."
            if keys := [key for key in written if key in known]:
                words = f"missing key. Write name: {keys[0]}, and its settings beside it."
            raise refusal(words, "name")
        plugin = self._find(written["name"], () if named else ("name",))
        with refuse_unreadable(self.registry, plugin):
            section = self.section_of(plugin).model_validate(written)
        read = Settings({each.name: getattr(section, each.name) for each in settings_of(plugin)})
        for name, each in read.items():
            if isinstance(each, PluginSpec):
                read[name] = each.completed(name)
        return PluginSpec(plugin, read).checked(), section

    def section_of(self, plugin: Any) -> type[Section]:
        """Return the model that reads the keys of a plug-in."""
        return _section(plugin, self.further_keys)

    def _find(self, name: Any, place: tuple[str, ...]) -> Any:
        """Return the plug-in of this name."""
        kind = self.registry.kind
        if not isinstance(name, str):
            raise refusal(expected(f"the name of {_article(kind)} {kind}", name), *place)
        try:
            return self.registry[name]
        except UnknownName as error:
            if self.is_inner and not isinstance(error, BrokenPlugin):
                error = UnknownName(kind, name, self._names())
            words = str(error)
            names = name.replace(",", " ").split()
            if len(names) > 1 and all(each in self.registry for each in names):
                words = f"found several names in one text. Write a list: [{', '.join(names)}]."
            raise refusal(words, *place) from None

    def _names(self) -> list[str]:
        """Return the names that can be read: of an inner plug-in, of those without one."""
        return [n for n in self.registry if not (self.is_inner and _has_inner(self.registry[n]))]

    def json_schema(self, of: GetJsonSchemaHandler) -> dict[str, Any]:
        """Return ``anyOf`` the names and one section for each plug-in or form of names.

        Settings of what a form finds are not known before its name.
        """

        def section(name: str) -> type[Section]:
            return self.section_of(self.registry[name])

        names = self._names()
        sections = plugin_definitions(self.registry, section, of, names=names)
        forms = [
            {"type": "string", "pattern": f"^{each.pattern}$", "description": each.doc}
            for each in self.registry.forms
        ]
        formed = [
            {"type": "object", "properties": {"name": each}, "required": ["name"]} for each in forms
        ]
        return {"anyOf": [{"type": "string", "enum": names}, *forms, *sections, *formed]}


@functools.cache
def _section(plugin: Any, further_keys: Callable[[], Keys]) -> type[Section]:
    name = (Literal[plugin.name], Field(description="Which plug-in."))
    return make_section(plugin, _form, name=name, **further_keys())


def _form(kind: Any) -> Any:
    """Return the type that reads a setting, which may be a plug-in itself."""
    marks = [each for each in get_args(kind)[1:] if isinstance(each, RegisteredPlugin)]
    if not marks:
        return setting_form(kind)
    return Annotated[Any, PluginReader(registry_of(marks[0].kind), is_inner=True)]


def _has_inner(plugin: Any) -> bool:
    """Return whether a setting of a plug-in is a plug-in."""
    kinds = (get_args(each.kind)[1:] for each in settings_of(plugin))
    return any(isinstance(mark, RegisteredPlugin) for marks in kinds for mark in marks)


def _article(kind: str) -> str:
    return "an" if kind[0] in "aeio" else "a"
