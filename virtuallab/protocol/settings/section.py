"""Sections of a protocol: pydantic models made from the fields of plug-ins.

A plug-in is a frozen dataclass; its fields have their bounds in their types and their meaning in
their metadata (:mod:`virtuallab.fields`). The model made of them reads a section of YAML: types are
exact (the text ``'8'`` is no number) and unknown keys are refused.
"""

from __future__ import annotations

import dataclasses
import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, Any, ClassVar, TypeVar, get_type_hints

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    StringConstraints,
    ValidationError,
    create_model,
    model_validator,
)
from pydantic_core import PydanticUndefined, core_schema

from virtuallab.protocol.messages.explain import faults_of, refusal, refusals
from virtuallab.protocol.messages.places import Place, value_at
from virtuallab.protocol.messages.units import without_unit

Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_-]*$", max_length=60)]
Made = TypeVar("Made")
STRICT = ConfigDict(
    strict=True,
    defer_build=True,
    extra="forbid",
    frozen=True,
    allow_inf_nan=False,
    use_attribute_docstrings=False,
)


class Section(BaseModel):
    """A mapping in a protocol with a fixed set of keys."""

    model_config = STRICT
    _units: ClassVar[Mapping[str, str]] = MappingProxyType({})  # of the settings that have one

    @model_validator(mode="wrap")
    @classmethod
    def _in_words(cls, value: Any, handler: Callable[[Any], Any]) -> Any:
        try:
            return handler(value)
        except ValidationError as error:
            faults = faults_of(error, cls.model_fields)
            raise refusals(cls._about_units(value, *fault) for fault in faults) from None

    @classmethod
    def _about_units(cls, value: Any, place: Place, message: str) -> tuple[Place, str]:
        """Replace the message about a number that was written with its unit."""
        replaced = None
        # An inner section has replaced its message already, with the unit of its own setting.
        if place and re.match(r"should be (?!.*without).*number", message):
            replaced = without_unit(cls._units.get(str(place[0]), ""), value_at(value, place))
        return place, replaced or message


@dataclass(frozen=True)
class Setting:
    """A field of a plug-in as a key of a protocol.

    Parameters
    ----------
    name : str
    kind : type
        With its bounds.
    default : object
        ``PydanticUndefined`` if the setting is required.
    doc : str
        Meaning of the setting.
    unit : str
        Unit of its numbers; empty if they have none.
    """

    name: str
    kind: Any
    default: Any
    doc: str
    unit: str = ""

    @property
    def required(self) -> bool:
        """True if the setting has no default."""
        return self.default is PydanticUndefined


def settings_of(plugin: type[Any]) -> tuple[Setting, ...]:
    """Return the settings of a plug-in, a dataclass, in the order of its fields."""
    kinds = get_type_hints(plugin, include_extras=True)
    found: list[Setting] = []
    for field in dataclasses.fields(plugin):
        default: Any = PydanticUndefined
        if field.default is not dataclasses.MISSING:
            default = field.default
        elif field.default_factory is not dataclasses.MISSING:
            default = field.default_factory()
        doc_and_unit = (field.metadata.get(key, "") for key in ("doc", "unit"))
        if field.init:
            found.append(Setting(field.name, kinds[field.name], default, *doc_and_unit))
    return tuple(found)


def make_section(plugin: type[Any], form: Callable[[Any], Any], **first: Any) -> type[Section]:
    """Return a model with a key for each setting of a plug-in.

    Parameters
    ----------
    plugin : type
        A dataclass.
    form : callable
        Maps the type of a setting to the type that reads it.
    **first : (type, FieldInfo)
        Further keys, before those of the settings.
    """
    settings = settings_of(plugin)
    keys: dict[str, Any] = {
        each.name: (form(each.kind), Field(default=each.default, description=each.doc or None))
        for each in settings
    }
    doc = inspect.cleandoc(plugin.__doc__ or "").partition("\n\n")[0].replace("\n", " ")
    made = create_model(plugin.__name__, __base__=Section, __doc__=doc or None, **first, **keys)
    made._units = {each.name: each.unit for each in settings if each.unit}
    return made


def definition(section: type[Section], name: str, of: GetJsonSchemaHandler) -> dict[str, Any]:
    """Return a reference to the JSON Schema of a section, which is kept by name in ``$defs``."""
    named = {**section.__pydantic_core_schema__, "ref": f"{name}:{id(section)}"}
    reference = core_schema.definition_reference_schema(named["ref"])
    return of(core_schema.definitions_schema(reference, [named]))


def instantiate(make: Callable[..., Made], *place: str, **settings: Any) -> Made:
    """Return a plug-in made by its class, or by another callable, from its settings.

    Raises
    ------
    ValidationError
        If the plug-in's own checks raise a ``ValueError``; the fault is that of ``place``.
    """
    try:
        return make(**settings)
    except ValidationError:
        raise
    except ValueError as error:
        raise refusal(f"{str(error).rstrip('.')}.", *place) from None
