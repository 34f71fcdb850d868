"""Turn a plug-in's own fields into the keys of a protocol.

A plug-in is a frozen dataclass; its fields carry their bounds in their types and their meaning in
their metadata (:mod:`virtuallab.fields`). From these a pydantic model is made that reads them from
YAML: types are exact (the text ``'8'`` is no number), unknown keys are refused, and each field of a
rule, an optimizer, an architecture or a task may also be a grid or a distribution.
"""

from __future__ import annotations

import dataclasses
import functools
import inspect
import re
import types
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, Any, ClassVar, Literal, Union, get_args, get_origin, get_type_hints

from annotated_types import Len
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    Strict,
    TypeAdapter,
    ValidationError,
    create_model,
    model_validator,
)
from pydantic_core import CoreSchema, PydanticUndefined, core_schema

from virtuallab.errors import UnknownName
from virtuallab.protocol.messages.explain import (
    Place,
    expected,
    faults_of,
    refusal,
    retold,
    shape_of,
)
from virtuallab.protocol.messages.units import at, in_unit

_CONFIG = ConfigDict(
    strict=True,
    defer_build=True,
    extra="forbid",
    frozen=True,
    allow_inf_nan=False,
    use_attribute_docstrings=False,
)


class Section(BaseModel):
    """A mapping of the protocol whose keys are all known."""

    model_config = _CONFIG
    _units: ClassVar[Mapping[str, str]] = MappingProxyType({})  # of the settings that have one

    @model_validator(mode="wrap")
    @classmethod
    def _in_words(cls, value: Any, handler: Callable[[Any], Any]) -> Any:
        try:
            return handler(value)
        except ValidationError as error:
            faults = faults_of(error, cls.model_fields)
            raise refusal([cls._without_unit(value, *fault) for fault in faults], None) from None

    @classmethod
    def _without_unit(cls, value: Any, place: Place, message: str) -> tuple[Place, str]:
        """Explain a fault anew where it is a number that was written with its unit."""
        told = None
        # A section inside has said it already, in the unit of its own setting.
        if place and re.match(r"should be (?!.*without).*number", message):
            told = in_unit(cls._units.get(str(place[0]), ""), at(value, place))
        return place, told or message


class Reader:
    """Marks a type that is read by a function of ours instead of by pydantic's rules for it.

    Used as ``Annotated[Any, reader]``. Whichever form is being read is decided by the shape of what
    was written, so a fault is told once, for the form that was meant.
    """

    def read(self, value: Any) -> Any:
        """Turn what was written into what is meant, or raise a ``ValidationError``."""
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


def schema_of(kind: Any, of: GetJsonSchemaHandler) -> dict[str, Any]:
    """Return the JSON Schema of one kind of value; a reader of ours describes itself."""
    form = readable(kind)
    if get_origin(form) is Annotated:
        for mark in get_args(form)[1:]:
            if isinstance(mark, Reader):
                return mark.json_schema(of)
    return of(adapter(kind).core_schema)


@functools.cache
def adapter(kind: Any) -> Any:
    """Make the exact reader of one kind of value, a pydantic ``TypeAdapter``."""
    return TypeAdapter(readable(kind), config=_CONFIG)


def readable(kind: Any) -> Any:
    """Rewrite a field's type so that YAML's lists, mappings and alternatives can be read as it."""
    origin, parts = get_origin(kind), get_args(kind)
    if origin is Annotated and any(isinstance(mark, Reader) for mark in parts[1:]):
        return Annotated[(Any, *parts[1:])]
    if origin is Annotated and _is_list(kind):
        fewest = next((mark.min_length for mark in parts[1:] if isinstance(mark, Len)), 0)
        rest = [mark for mark in parts[1:] if not isinstance(mark, Len)]
        return Annotated[(Any, ListOf(_entry(kind), fewest), *rest)]
    if origin is Annotated:
        return Annotated[(readable(parts[0]), *parts[1:])]
    if origin in (Union, types.UnionType):
        return Annotated[Any, Either(parts)]
    if origin is tuple and parts[-1:] == (...,):
        return Annotated[Any, ListOf(_entry(kind))]
    if origin is tuple:
        inner = tuple(part if part is ... else readable(part) for part in parts)
        return Annotated[tuple[inner], Strict(False)]  # type: ignore[valid-type]
    if isinstance(kind, type) and dataclasses.is_dataclass(kind):
        return Annotated[Any, Written(kind)]
    return kind


def _is_list(kind: Any) -> bool:
    """Whether values of a kind are lists of any length."""
    origin, parts = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return _is_list(parts[0])
    return origin is tuple and parts[-1:] == (...,)


def _entry(kind: Any) -> Any:
    """Kind of the entries of a list of any length."""
    origin, parts = get_origin(kind), get_args(kind)
    return _entry(parts[0]) if origin is Annotated else parts[0]


def shapes(kind: Any) -> frozenset[str]:
    """Shapes that a written value of this kind may have (see :func:`shape_of`)."""
    origin, parts = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return shapes(parts[0])
    if origin in (Union, types.UnionType):
        return frozenset().union(*map(shapes, parts))
    if origin is Literal:
        return frozenset(map(shape_of, parts))
    if origin in (tuple, list):
        return frozenset({"list"})
    if dataclasses.is_dataclass(kind):
        return frozenset({"mapping"})
    named = {
        int: {"whole number"},
        float: {"whole number", "number"},
        str: {"text"},
        bool: {"true or false"},
        types.NoneType: {"nothing"},
    }
    return frozenset(named.get(kind, {"mapping"}))


def words(kind: Any) -> str:
    """Name what may stand there.

    >>> words(int | Literal["all"])
    "a whole number or 'all'"
    """
    origin, parts = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return words(parts[0])
    if origin is Literal:
        return " or ".join(map(repr, parts))
    if origin in (Union, types.UnionType):
        return " or ".join(words(part) for part in parts if part is not types.NoneType)
    if origin in (tuple, list):
        return "a list"
    names = {int: "a whole number", float: "a number", str: "text", bool: "true or false"}
    return names.get(kind, "a mapping of keys")


@dataclass(frozen=True)
class Either(Reader):
    """Alternatives, told apart by their shape."""

    kinds: tuple[Any, ...]

    def read(self, value: Any) -> Any:
        """Read by the alternatives of this shape; of several (two texts) the first that fits."""
        shape = shape_of(value)
        last: ValidationError | None = None
        for kind in self.kinds:
            if shape in shapes(kind):
                try:
                    return adapter(kind).validate_python(value)
                except ValidationError as error:
                    last = error
        if last is None:
            for kind in filter(_is_list, self.kinds):
                if shape in shapes(_entry(kind)):
                    return adapter(kind).validate_python(value)
        if last is None or last.errors()[0]["type"] == "literal_error":
            raise refusal([((), expected(words(Union[self.kinds]), value))], value)  # noqa: UP007
        raise retold(last)

    def json_schema(self, of: GetJsonSchemaHandler) -> dict[str, Any]:
        """Return ``anyOf`` the alternatives."""
        return {"anyOf": [schema_of(kind, of) for kind in self.kinds]}


@dataclass(frozen=True)
class ListOf(Reader):
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
        """Read every entry; what stands alone is read as the only one."""
        alone = not isinstance(value, list)
        if value is None:
            raise refusal([((), expected("a list", value))], value)
        entries = [value] if alone else value
        if not entries and self.fewest:
            raise refusal([((), "the list is empty. Give at least one.")], value)
        if len(entries) < self.fewest:
            words = f"needs at least {self.fewest} entries, found {len(entries)}."
            raise refusal([((), words)], value)
        read: list[Any] = []
        faults: list[tuple[Place, str]] = []
        for index, entry in enumerate(entries):
            try:
                read.append(adapter(self.kind).validate_python(entry))
            except ValidationError as error:
                at: Place = () if alone else (index,)
                faults += [((*at, *place), text) for place, text in faults_of(error)]
        if faults:
            raise refusal(faults, value)
        return tuple(read)

    def json_schema(self, of: GetJsonSchemaHandler) -> dict[str, Any]:
        """Return ``anyOf`` the list and one entry."""
        one = schema_of(self.kind, of)
        several = {"type": "array", "items": one, "minItems": self.fewest}
        return {"anyOf": [several, one]}


@dataclass(frozen=True)
class OneOf(Reader):
    """A name out of a few; of another the nearest is told."""

    kind: str
    names: tuple[str, ...]

    def read(self, value: Any) -> str:
        """Return the name, if it is one of them."""
        if not isinstance(value, str):
            raise refusal([((), expected(f"the name of a {self.kind}", value))], value)
        if value not in self.names:
            raise refusal([((), str(UnknownName(self.kind, value, self.names)))], value)
        return value

    def json_schema(self, of: GetJsonSchemaHandler) -> dict[str, Any]:
        """Return an enumeration of the names."""
        return {"type": "string", "enum": list(self.names)}


@dataclass(frozen=True)
class Written(Reader):
    """A frozen dataclass, written as the mapping of its fields."""

    plugin: Any

    def read(self, value: Any) -> Any:
        """Build the dataclass; what its own checks refuse is a fault like any other."""
        section = section_of(self.plugin)
        settings = dict(section.model_validate(value))
        return built(self.plugin, settings)

    def json_schema(self, of: GetJsonSchemaHandler) -> dict[str, Any]:
        """Return the schema of its section."""
        return definition(section_of(self.plugin), self.plugin.__name__, of)


def definition(section: type[Section], name: str, of: GetJsonSchemaHandler) -> dict[str, Any]:
    """Return a reference to a section's JSON Schema, which is written once, in ``$defs``."""
    named = {**section.__pydantic_core_schema__, "ref": f"{name}:{id(section)}"}
    reference = core_schema.definition_reference_schema(named["ref"])
    return of(core_schema.definitions_schema(reference, [named]))


def built(plugin: type[Any], settings: dict[str, Any]) -> Any:
    """Make a plug-in; a ``ValueError`` of its own checks becomes a fault."""
    try:
        return plugin(**settings)
    except ValidationError:
        raise
    except ValueError as error:
        raise refusal([((), f"{str(error).rstrip('.')}.")], settings) from None


@dataclass(frozen=True)
class Setting:
    """One field of a plug-in as a protocol sees it; a default of pydantic's undefined is none."""

    name: str
    kind: Any
    default: Any
    doc: str
    unit: str = ""

    @property
    def required(self) -> bool:
        """Whether a protocol has to give it."""
        return self.default is PydanticUndefined


def settings_of(plugin: type[Any]) -> Iterator[Setting]:
    """Yield the settings of a plug-in in the order of its fields."""
    kinds = get_type_hints(plugin, include_extras=True)
    for field in dataclasses.fields(plugin):
        if not field.init:
            continue
        default: Any = PydanticUndefined
        if field.default is not dataclasses.MISSING:
            default = field.default
        elif field.default_factory is not dataclasses.MISSING:
            default = field.default_factory()
        told = (field.metadata.get(key, "") for key in ("doc", "unit"))
        yield Setting(field.name, kinds[field.name], default, *told)


@functools.cache
def section_of(plugin: Any) -> type[Section]:
    """Make the section that reads a dataclass, every field as its type says."""
    return make_section(plugin, readable)


def make_section(plugin: type[Any], form: Callable[[Any], Any], **first: Any) -> type[Section]:
    """Make a section with a key for each setting of a plug-in.

    Parameters
    ----------
    plugin : type
        A dataclass.
    form : callable
        Turns the type of a setting into the type that reads it.
    **first : (type, FieldInfo)
        Further keys, which come before the settings.
    """
    keys: dict[str, Any] = {
        setting.name: (
            form(setting.kind),
            Field(default=setting.default, description=setting.doc or None),
        )
        for setting in settings_of(plugin)
    }
    doc = inspect.cleandoc(plugin.__doc__ or "").partition("\n\n")[0].replace("\n", " ")
    made = create_model(plugin.__name__, __base__=Section, __doc__=doc or None, **first, **keys)
    made._units = {setting.name: setting.unit for setting in settings_of(plugin) if setting.unit}
    return made
