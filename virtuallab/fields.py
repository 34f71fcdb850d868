"""Types of the settings of plug-ins, with their bounds, and the declaration of a field.

A plug-in (a rule, an architecture, a probe) is a frozen dataclass whose fields are the keys of the
protocol. A field's type carries its bounds and :func:`setting` its default and its meaning; the
schema, the reference page, the error messages and the stored coordinates are all derived from that.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any, ClassVar, get_type_hints

from annotated_types import Ge, Gt, Le, Len, Lt

PositiveFloat = Annotated[float, Gt(0)]
NonNegativeFloat = Annotated[float, Ge(0)]
Fraction = Annotated[float, Ge(0), Le(1)]
ProperFraction = Annotated[float, Ge(0), Lt(1)]
Momentum = Annotated[float, Ge(0), Lt(1)]
MOST = 1_000_000_000  # of any count; larger numbers are mistakes
Count = Annotated[int, Ge(1), Le(MOST)]
NonNegativeInt = Annotated[int, Ge(0), Le(MOST)]
Counts = Annotated[tuple[Count, ...], Len(1)]


def setting(
    default: Any = dataclasses.MISSING,
    *,
    doc: str,
    unit: str = "",
    added: bool = False,
    place: bool = False,
) -> Any:
    """Return the declaration of a plug-in's field: its default, its meaning and its unit.

    Parameters
    ----------
    default : object, optional
        Not given if the setting is required.
    doc : str
        Meaning, with its unit.
    unit : str
        Unit of its numbers, ``"s"`` or ``"Hz"``; empty if they have none. A number that is written
        with another unit is refused with the number to write.
    added : bool
        True if the field was added to a plug-in in use. At its default it is then not part of the
        identity of a subject, which would change all random streams.
    place : bool
        True if the setting tells where files are. It is not part of the identity of a subject,
        which is the same wherever they are.
    """
    metadata = {"doc": doc, "unit": unit, "added": added, "place": place}
    if default is dataclasses.MISSING:
        return dataclasses.field(metadata=metadata)
    return dataclasses.field(default=default, metadata=metadata)


def written_settings(plugin: type[Any], settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings that are written for a plug-in: added ones only if not at their default.

    Parameters
    ----------
    plugin : type
        A dataclass.
    settings : mapping from field to value
    """
    added = {f.name: f.default for f in dataclasses.fields(plugin) if f.metadata.get("added")}
    return {k: v for k, v in settings.items() if k not in added or v != added[k]}


def identifying_settings(plugin: type[Any], settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings that identify a plug-in: those written, without places of files.

    Parameters
    ----------
    plugin : type
        A dataclass.
    settings : mapping from field to value
    """
    return without_places(plugin, written_settings(plugin, settings))


def without_places(plugin: type[Any], settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of a plug-in that do not tell where files are.

    Parameters
    ----------
    plugin : type
        A dataclass.
    settings : mapping from field to value
    """
    places = {f.name for f in dataclasses.fields(plugin) if f.metadata.get("place")}
    return {k: v for k, v in settings.items() if k not in places}


@cache
def float_fields(plugin: type[Any]) -> frozenset[str]:
    """Return the names of a plug-in's real-numbered fields, which may differ within a cohort."""
    hints = get_type_hints(plugin)
    names = (field.name for field in dataclasses.fields(plugin))
    return frozenset(name for name in names if hints[name] is float)


def plugin_data(plugin: Any) -> dict[str, Any]:
    """Return the name and the identifying settings of a plug-in, those of plug-ins in it as well.

    Parameters
    ----------
    plugin : object
        An instance of a registered class.
    """
    return {"name": plugin.name, **identifying_settings(type(plugin), all_settings(plugin))}


def field_values(plugin: Any) -> dict[str, Any]:
    """Return the value of each field of a dataclass, as it is.

    Parameters
    ----------
    plugin : object
        An instance.
    """
    return {each.name: getattr(plugin, each.name) for each in dataclasses.fields(plugin)}


def all_settings(plugin: Any) -> dict[str, Any]:
    """Return all settings of a plug-in; those that are plug-ins as :func:`plugin_data`.

    Parameters
    ----------
    plugin : object
        An instance of a registered class.
    """
    return {
        key: plugin_data(value) if dataclasses.is_dataclass(value) else value
        for key, value in field_values(plugin).items()
    }


@dataclasses.dataclass(frozen=True)
class RegisteredPlugin:
    """Mark of a setting that is a plug-in: ``Annotated[Task, RegisteredPlugin("task")]``.

    In a protocol it is a name, or a mapping with a name and settings.

    Parameters
    ----------
    kind : str
        Kind of plug-in, as its registry names it.
    """

    kind: str


class SectionPlugin:
    """Base of plug-ins that stand in a section: ``noise: {name: laplace, snr: 1.0}``.

    The section may leave out the name of the default plug-in. Subclasses are frozen dataclasses,
    whose fields are the other keys.

    Attributes
    ----------
    registry : Registry
        Where the names are looked up.
    default_name : str
        Name of the plug-in that a section without a name means.
    """

    name: ClassVar[str]
    registry: ClassVar[Any]
    default_name: ClassVar[str]

    @classmethod
    def parse(cls, section: Mapping[str, Any]) -> tuple[type[Any], dict[str, Any]]:
        """Class that a section names, and the settings beside the name.

        Raises
        ------
        UnknownName
            If no plug-in has this name.
        """
        settings = dict(section)
        return cls.registry[settings.pop("name", cls.default_name)], settings

    @classmethod
    def from_section(cls, section: Mapping[str, Any]) -> Any:
        """Plug-in of a section, as :meth:`written` returns it; raises as :meth:`parse`."""
        plugin, settings = cls.parse(section)
        return plugin(**settings)

    @classmethod
    def with_name(cls, settings: Mapping[str, Any]) -> dict[str, Any]:
        """Section of this plug-in with these settings; without the name of the default one.

        Settings that were added to the plug-in are left out at their default.
        """
        named = {} if cls.name == cls.default_name else {"name": cls.name}
        return {**named, **written_settings(cls, settings)}

    def written(self) -> dict[str, Any]:
        """Section with its settings, as a protocol writes it; see :meth:`with_name`."""
        return self.with_name(field_values(self))
