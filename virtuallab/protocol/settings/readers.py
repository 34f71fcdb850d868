"""Readers of values: unions, lists, names of a given set, and dataclasses.

The shape of a value decides which form is read, so that a fault is reported once, for the form that
was intended.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Any, get_args, get_origin

from annotated_types import Len
from pydantic import (
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    Strict,
    TypeAdapter,
    ValidationError,
)
from pydantic_core import CoreSchema, core_schema

from virtuallab.errors import UnknownName
from virtuallab.fields import SectionPlugin
from virtuallab.protocol.messages.explain import (
    expected,
    faults_of,
    raise_faults,
    refusal,
    refusals,
)
from virtuallab.protocol.messages.places import Place
from virtuallab.protocol.settings.kinds import (
    entry_of,
    is_list,
    is_union,
    shape_of,
    shapes,
    words,
)
from virtuallab.protocol.settings.plugin_schemas import refuse_unreadable, section_schema
from virtuallab.protocol.settings.section import (
    STRICT,
    Section,
    definition,
    instantiate,
    make_section,
)


class Reader:
    """Base class of readers, which replace pydantic's rules: ``Annotated[Any, reader]``."""

    def read(self, value: Any) -> Any:
        """Return the value that is described in YAML, or raise a ``ValidationError``."""
        raise NotImplementedError

    def json_schema(self, of: GetJsonSchemaHandler) -> dict[str, Any]:
        """Return the JSON Schema of all forms."""
        raise NotImplementedError

    def __get_pydantic_core_schema__(self, _: Any, __: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(self.read)

    def __get_pydantic_json_schema__(
        self, _: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return self.json_schema(handler)


@functools.cache
def adapter(kind: Any) -> Any:
    """Return pydantic's ``TypeAdapter`` of a type, which converts no types."""
    return TypeAdapter(readable(kind), config=STRICT)


def read_entries(
    kind: Any, entries: Iterable[Any], place: Place = (), *, alone: bool = False
) -> tuple[dict[int, Any], list[tuple[Place, str]]]:
    """Return the entries of a list that could be read, by index, and the faults of the others.

    Parameters
    ----------
    kind : type
        Of each entry.
    entries : iterable
    place : Place
        Of the list.
    alone : bool
        True if the only entry was written without a list.
    """
    read: dict[int, Any] = {}
    faults: list[tuple[Place, str]] = []
    for index, entry in enumerate(entries):
        try:
            read[index] = adapter(kind).validate_python(entry)
        except ValidationError as error:
            at = place if alone else (*place, index)
            faults += [((*at, *rest), message) for rest, message in faults_of(error)]
    return read, faults


def schema_of(kind: Any, of: GetJsonSchemaHandler) -> dict[str, Any]:
    """Return the JSON Schema of a type; ``of`` is pydantic's handler."""
    form = readable(kind)
    if get_origin(form) is Annotated:
        for mark in get_args(form)[1:]:
            if isinstance(mark, Reader):
                return mark.json_schema(of)
    return of(adapter(kind).core_schema)


def readable(kind: Any) -> Any:
    """Return the type that reads a field from YAML: lists, mappings and unions have a reader."""
    marks = get_args(kind)[1:] if get_origin(kind) is Annotated else ()
    if any(isinstance(mark, Reader) for mark in marks):
        return Annotated[(Any, *marks)]
    if is_list(kind):
        fewest = next((mark.min_length for mark in marks if isinstance(mark, Len)), 0)
        rest = [mark for mark in marks if not isinstance(mark, Len)]
        return Annotated[(Any, ListReader(entry_of(kind), fewest), *rest)]
    if marks:
        return Annotated[(readable(get_args(kind)[0]), *marks)]
    if is_union(kind):
        return Annotated[Any, UnionReader(get_args(kind))]
    if get_origin(kind) is tuple:
        inner = tuple(map(readable, get_args(kind)))
        return Annotated[tuple[inner], Strict(False)]  # type: ignore[valid-type]
    if isinstance(kind, type) and issubclass(kind, SectionPlugin):
        return Annotated[Any, SectionPluginReader(kind)]
    if isinstance(kind, type) and dataclasses.is_dataclass(kind):
        return Annotated[Any, DataclassReader(kind)]
    return kind


@dataclass(frozen=True)
class UnionReader(Reader):
    """Reader of a union: the shape of the value decides which type is read."""

    kinds: tuple[Any, ...]

    def read(self, value: Any) -> Any:
        """Return the value read by the first type that has its shape and accepts it."""
        shape = shape_of(value)
        last: ValidationError | None = None
        for kind in self.kinds:
            if shape in shapes(kind):
                try:
                    return adapter(kind).validate_python(value)
                except ValidationError as error:
                    last = error
        if last is None:
            for kind in filter(is_list, self.kinds):
                if shape in shapes(entry_of(kind)):
                    return adapter(kind).validate_python(value)
        if last is None or last.errors()[0]["type"] == "literal_error":
            raise refusal(expected(words(*self.kinds), value))
        raise refusals(faults_of(last))

    def json_schema(self, of: GetJsonSchemaHandler) -> dict[str, Any]:
        """Return ``anyOf`` of the types."""
        return {"anyOf": [schema_of(kind, of) for kind in self.kinds]}


@dataclass(frozen=True)
class ListReader(Reader):
    """Reader of a list; a single value counts as a list of one.

    Parameters
    ----------
    kind : type
        Of each entry.
    fewest : int
        Least number of entries.
    """

    kind: Any
    fewest: int = 0

    def read(self, value: Any) -> tuple[Any, ...]:
        """Return the entries."""
        if value is None:
            raise refusal(expected("a list", value))
        alone = not isinstance(value, list)
        entries = [value] if alone else value
        if not entries and self.fewest:
            raise refusal("the list is empty. Give at least one.")
        if len(entries) < self.fewest:
            raise refusal(f"needs at least {self.fewest} entries, found {len(entries)}.")
        read, faults = read_entries(self.kind, entries, alone=alone)
        raise_faults(faults)
        return tuple(read.values())

    def json_schema(self, of: GetJsonSchemaHandler) -> dict[str, Any]:
        """Return ``anyOf`` of the list and one entry."""
        one = schema_of(self.kind, of)
        several = {"type": "array", "items": one, "minItems": self.fewest}
        return {"anyOf": [several, one]}


@dataclass(frozen=True)
class NameReader(Reader):
    """Reader of a name of a given set; the message for another name suggests the nearest.

    Parameters
    ----------
    kind : str
        Kind of thing that is named, ``"loss"``.
    names : iterable of str
        Such as a registry, whose plug-ins are imported when a name is read.
    """

    kind: str
    names: Iterable[str]

    def read(self, value: Any) -> str:
        """Return the name, if it is one of them."""
        if not isinstance(value, str):
            raise refusal(expected(f"the name of a {self.kind}", value))
        if value not in self.names:
            raise refusal(str(UnknownName(self.kind, value, self.names)))
        return value

    def json_schema(self, of: GetJsonSchemaHandler) -> dict[str, Any]:
        """Return an enumeration of the names."""
        return {"type": "string", "enum": list(self.names)}


@dataclass(frozen=True)
class DataclassReader(Reader):
    """Reader of a frozen dataclass, which is a mapping of its fields in YAML."""

    plugin: Any

    def read(self, value: Any) -> Any:
        """Return the dataclass; a ``ValueError`` of its own checks becomes a fault."""
        return instantiate(self.plugin, **dict(_section(self.plugin).model_validate(value)))

    def json_schema(self, of: GetJsonSchemaHandler) -> dict[str, Any]:
        """Return the schema of its section."""
        return definition(_section(self.plugin), self.plugin.__name__, of)


@dataclass(frozen=True)
class SectionPluginReader(Reader):
    """Reads a plug-in that stands in a section, of the class that the key ``name`` gives.

    Parameters
    ----------
    base : type
        Base class of the plug-ins, a :class:`~virtuallab.fields.SectionPlugin`.
    """

    base: type[SectionPlugin]

    def read(self, value: Any) -> Any:
        """Build the plug-in that is named."""
        plugin, settings = named_plugin(self.base, value)
        with refuse_unreadable(self.base.registry, plugin):
            read = _section(plugin).model_validate(settings)
        return instantiate(plugin, **dict(read))

    def json_schema(self, of: GetJsonSchemaHandler) -> dict[str, Any]:
        """Return ``anyOf`` a section for each plug-in."""
        return section_schema(self.base, _make_section, "", of)


def named_plugin(base: type[SectionPlugin], value: Any) -> tuple[Any, Any]:
    """Class that a section names, and the settings beside the name.

    Raises
    ------
    ValidationError
        If no plug-in has this name.
    """
    if not isinstance(value, dict):
        return base.parse({})[0], value
    name = value.get("name", base.default_name)
    if not isinstance(name, str):
        raise refusal(expected(f"the name of a {base.registry.kind}", name), "name")
    try:
        return base.parse(value)
    except UnknownName as error:
        raise refusal(str(error), "name") from None


@functools.cache
def _section(plugin: Any) -> type[Section]:
    return _make_section(plugin)


def _make_section(plugin: Any, **first: Any) -> type[Section]:
    return make_section(plugin, readable, **first)
