"""Readers of values: unions, lists, names out of a few, and dataclasses.

What was written decides by its shape which form is read, so that a fault is reported once, for the
form that was meant.
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
from virtuallab.protocol.settings.section import (
    STRICT,
    Section,
    definition,
    instantiate,
    make_section,
)


class Reader:
    """Base of what reads a type in place of pydantic's rules: ``Annotated[Any, reader]``."""

    def read(self, value: Any) -> Any:
        """Return what a written value means, or raise a ``ValidationError``."""
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
    """Pydantic's ``TypeAdapter`` of a type, which reads plain data exactly."""
    return TypeAdapter(readable(kind), config=STRICT)


def read_entries(
    kind: Any, entries: Iterable[Any], place: Place = (), *, alone: bool = False
) -> tuple[dict[int, Any], list[tuple[Place, str]]]:
    """Entries of a list that could be read, by index, and the faults of the others.

    Parameters
    ----------
    kind : type
        Of each entry.
    entries : iterable
    place : Place
        Of the list.
    alone : bool
        Whether the only entry was written without its list.
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
    """JSON Schema of a type; ``of`` is pydantic's handler."""
    form = readable(kind)
    if get_origin(form) is Annotated:
        for mark in get_args(form)[1:]:
            if isinstance(mark, Reader):
                return mark.json_schema(of)
    return of(adapter(kind).core_schema)


def readable(kind: Any) -> Any:
    """Type that reads a field of this type from YAML: lists, mappings and unions by a reader."""
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
    if isinstance(kind, type) and dataclasses.is_dataclass(kind):
        return Annotated[Any, DataclassReader(kind)]
    return kind


@dataclass(frozen=True)
class UnionReader(Reader):
    """Reads one of several types, told apart by the shape of what was written."""

    kinds: tuple[Any, ...]

    def read(self, value: Any) -> Any:
        """Read by the type of this shape; where several have it, by the first that fits."""
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
        """Return ``anyOf`` the types."""
        return {"anyOf": [schema_of(kind, of) for kind in self.kinds]}


@dataclass(frozen=True)
class ListReader(Reader):
    """Reads a list; a value alone is a list of one.

    Parameters
    ----------
    kind : type
        Of each entry.
    fewest : int
        Entries there must be.
    """

    kind: Any
    fewest: int = 0

    def read(self, value: Any) -> tuple[Any, ...]:
        """Read every entry."""
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
        """Return ``anyOf`` the list and one entry."""
        one = schema_of(self.kind, of)
        several = {"type": "array", "items": one, "minItems": self.fewest}
        return {"anyOf": [several, one]}


@dataclass(frozen=True)
class NameReader(Reader):
    """Reads a name out of a few; the message for another gives the nearest.

    Parameters
    ----------
    kind : str
        What the names stand for, ``"loss"``.
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
    """Reads a frozen dataclass, written as the mapping of its fields."""

    plugin: Any

    def read(self, value: Any) -> Any:
        """Build the dataclass; what its own checks refuse is a fault like any other."""
        return instantiate(self.plugin, **dict(_section(self.plugin).model_validate(value)))

    def json_schema(self, of: GetJsonSchemaHandler) -> dict[str, Any]:
        """Return the schema of its section."""
        return definition(_section(self.plugin), self.plugin.__name__, of)


@functools.cache
def _section(plugin: Any) -> type[Section]:
    return make_section(plugin, readable)
