"""Plug-ins as a protocol writes them: a name, and settings that may differ between subjects."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, is_dataclass
from typing import Any, Literal

import numpy as np
from pydantic import Field, GetJsonSchemaHandler
from pydantic.errors import PydanticUserError

from virtuallab.errors import BrokenPlugin, UnknownName
from virtuallab.fields import identifying
from virtuallab.protocol.messages.explain import Place, expected, refusal
from virtuallab.protocol.settings.distributions import Distribution, Grid
from virtuallab.protocol.settings.section import Reader, Section, built, definition, make_section
from virtuallab.protocol.settings.setting_reader import swept
from virtuallab.registry import Registry
from virtuallab.text import printable


@dataclass(frozen=True)
class Draft:
    """A plug-in some of whose settings may still be open.

    Parameters
    ----------
    plugin : type
        Its class.
    settings : mapping
        Field -> value, :class:`Grid` or :class:`Distribution`.
    """

    plugin: type[Any]
    settings: Mapping[str, Any]

    @property
    def size(self) -> int:
        """How many points its grids have."""
        return size_of(self.settings)

    def points(self) -> tuple[Draft, ...]:
        """Every combination of the values of its grids; distributions stay open."""
        return tuple(Draft(self.plugin, each) for each in crossed(self.settings))

    def draw(self, stream_of: Callable[[str], np.random.Generator]) -> Any:
        """Make the plug-in of one subject.

        Parameters
        ----------
        stream_of : callable
            The random stream of each setting that is drawn, by the setting's name; so that no draw
            depends on which other settings are drawn.
        """
        return self.plugin(**self.drawn(stream_of))

    def drawn(self, stream_of: Callable[[str], np.random.Generator]) -> dict[str, Any]:
        """Return the settings with every distribution replaced by a draw."""
        return {
            name: value.draw(stream_of(name)) if isinstance(value, Distribution) else value
            for name, value in self.settings.items()
        }

    def example(self) -> dict[str, Any]:
        """Return the settings with every distribution replaced by a value that it can draw."""
        return {
            name: value.example() if isinstance(value, Distribution) else value
            for name, value in self.settings.items()
        }

    def written(self) -> dict[str, Any]:
        """Return it as a protocol writes it, every setting but added ones at default."""
        return {"name": self.plugin.name, **plain(identifying(self.plugin, self.settings))}


def size_of(settings: Mapping[str, Any]) -> int:
    """How many combinations the grids among some settings have."""
    size = 1
    for value in settings.values():
        size *= len(value.values) if isinstance(value, Grid) else 1
    return size


def crossed(settings: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Every combination of the values of the grids among some settings."""
    columns = [v.values if isinstance(v, Grid) else (v,) for v in settings.values()]
    return [dict(zip(settings, row, strict=True)) for row in itertools.product(*columns)]


def plain(value: Any) -> Any:
    """Write a value with nothing but what JSON knows."""
    if isinstance(value, Grid | Distribution):
        return plain(value.written())
    if is_dataclass(value) and not isinstance(value, type):
        return plain(asdict(value))
    if isinstance(value, Mapping):
        return {key: plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    return value


@dataclass(frozen=True)
class PluginOf(Reader):
    """Reads ``name`` or ``{name: ..., setting: ...}`` as a :class:`Draft`."""

    registry: Registry[Any]

    def read(self, value: Any) -> Draft:
        """Find the plug-in of this name and read its settings."""
        plugin, written = self.named(value)
        section = self.settings(plugin_section, plugin, written)
        return draft(plugin, {key: value for key, value in section if key != "name"})

    def named(self, value: Any) -> tuple[Any, Any]:
        """Find the plug-in of this name; a bare name stands for all its defaults."""
        written = {"name": value} if isinstance(value, str) else value
        if not isinstance(written, dict):
            what = f"the name of {_article(self.registry.kind)}, or a mapping of its settings"
            raise refusal([((), expected(what, value))], value)
        name = written.get("name")
        if "name" not in written:  # only then: to look through all names imports all plug-ins
            keys = [key for key in written if key in self.registry]
            words = f"missing key. Known: {', '.join(self.registry)}."
            if keys:
                words = f"missing key. Write name: {keys[0]}, and its settings beside it."
            raise refusal([(("name",), words)], value)
        if not isinstance(name, str):
            what = f"the name of {_article(self.registry.kind)}"
            raise refusal([(("name",), expected(what, name))], value)
        try:
            return self.registry[name], written
        except UnknownName as error:
            place: Place = ("name",) if written is value else ()
            names = name.replace(",", " ").split()
            if len(names) > 1 and all(each in self.registry for each in names):
                words = f"found several names in one text. Write a list: [{', '.join(names)}]."
                raise refusal([(place, words)], value) from None
            raise refusal([(place, str(error))], value) from None

    def settings(self, section: Callable[[Any], type[Section]], plugin: Any, written: Any) -> Any:
        """Read what is written of a plug-in by one of its sections."""
        try:
            return section(plugin).model_validate(written)
        except PydanticUserError as error:
            broken = BrokenPlugin(self.registry.kind, plugin.name, _unreadable(plugin, error))
            raise refusal([((), str(broken))], written) from None

    def json_schema(self, of: GetJsonSchemaHandler) -> dict[str, Any]:
        """Return ``anyOf`` the names and the sections of all plug-ins."""
        return self.alternatives(of, plugin_section)

    def alternatives(
        self, of: GetJsonSchemaHandler, section: Callable[[Any], type[Section]]
    ) -> dict[str, Any]:
        """Return ``anyOf`` the names and one section for each plug-in.

        One from outside whose settings have types of which no form is known is left out, with a
        warning.
        """
        sections = []
        for name in list(self.registry):
            plugin = self.registry[name]
            try:
                sections.append(definition(section(plugin), f"{self.registry.kind}-{name}", of))
            except PydanticUserError as error:
                self.registry.discard(name, _unreadable(plugin, error))
        return {"anyOf": [{"type": "string", "enum": list(self.registry)}, *sections]}


def _unreadable(plugin: Any, error: PydanticUserError) -> str:
    """Return in one line why the settings of a plug-in cannot be read."""
    reason = printable(str(error).partition("\n")[0].partition(". Set ")[0])
    return f"{plugin.__module__}.{plugin.__qualname__}: its settings cannot be read: {reason}"


def _article(kind: str) -> str:
    return f"{'an' if kind[0] in 'aeio' else 'a'} {kind}"


@functools.cache
def plugin_section(plugin: Any) -> type[Section]:
    """Make the section that reads a plug-in: its name, and settings that may be swept."""
    return make_section(plugin, swept, name=name_key(plugin))


def name_key(plugin: Any) -> tuple[Any, Any]:
    """Return the key that tells plug-ins apart."""
    return Literal[plugin.name], Field(description="Which plug-in.")


def draft(plugin: type[Any], settings: Mapping[str, Any]) -> Draft:
    """Make a draft, once the plug-in itself agrees to every point of its grids.

    Raises
    ------
    ValidationError
        If it refuses a combination of settings.
    """
    made = Draft(plugin, settings)
    if made.size <= _MOST_TRIED:
        for point in made.points():
            # One value will do: bounds are checked, and what else a plug-in checks is seldom drawn.
            built(plugin, point.example())
    return made


_MOST_TRIED = 10_000
