"""The reader of every setting: a value, a list, a distribution, or a section of settings."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import GetJsonSchemaHandler

from virtuallab.fields import SectionPlugin
from virtuallab.protocol.messages.explain import expected, found, raise_faults, refusal, unknown_key
from virtuallab.protocol.messages.places import Place
from virtuallab.protocol.settings.distributions import FORMS, Grid, Interval, ValueList, Variation
from virtuallab.protocol.settings.kinds import dataclass_in, shapes
from virtuallab.protocol.settings.plugin_schemas import refuse_unreadable, section_schema
from virtuallab.protocol.settings.plugin_spec import PluginSpec, Settings
from virtuallab.protocol.settings.readers import (
    Reader,
    adapter,
    named_plugin,
    read_entries,
    schema_of,
)
from virtuallab.protocol.settings.section import Section, definition, make_section


@dataclass(frozen=True)
class SettingReader(Reader):
    """Reader of a setting that may have several values.

    A setting is a value ``v``; a list ``[v, w]`` or ``{grid: [v, w]}``; or ``{choice: [v, w]}``,
    ``{uniform: [low, high]}`` or ``{log_uniform: [low, high]}``. A setting that is itself a list
    takes ``grid`` and ``choice`` only, a section ``grid`` only; the settings within a section may
    have several values each.

    Parameters
    ----------
    kind : type
        Of the setting, with its bounds.
    """

    kind: Any

    @property
    def _forms(self) -> tuple[str, ...]:
        """Forms that the setting may take."""
        possible = shapes(self.kind)
        if possible & {"whole number", "number"}:
            return tuple(FORMS)
        return ("grid",) if "mapping" in possible else ("grid", "choice")

    def read(self, value: Any) -> Any:
        """Return the value, a grid, a distribution, or the specification of a section."""
        possible = shapes(self.kind)
        if isinstance(value, dict):
            inner = dataclass_in(self.kind)
            if inner is not None and value and "grid" not in value:
                if issubclass(inner, SectionPlugin):
                    plugin, settings = named_plugin(inner, value)
                    with refuse_unreadable(inner.registry, plugin):
                        return read_spec(plugin, section_of(plugin), settings)
                return read_spec(inner, section_of(inner), value)
            alone = len(value) == 1 and next(iter(value)) in self._forms
            if "mapping" not in possible or "grid" in value or alone:
                return self._variation(value)
        if isinstance(value, list) and "list" not in possible:
            return Grid(self._values(value))
        return adapter(self.kind).validate_python(value)

    def _variation(self, value: dict[str, Any]) -> Variation:
        """Return the grid or distribution of a mapping from its form to values or bounds."""
        unknown = [key for key in value if key not in self._forms]
        if unknown:
            raise refusal(unknown_key(unknown[0], self._forms), unknown[0])
        if len(value) != 1:
            raise refusal(f"takes one of {', '.join(self._forms)}, found {found(value)}.")
        [(key, written)] = value.items()
        form = FORMS[key]
        if issubclass(form, Interval):
            return form(*self._bounds(form, written))
        return form(self._values(written, key))

    def _values(self, written: Any, *place: str) -> tuple[Any, ...]:
        """Return the values of a list; a single value counts as a list of one."""
        alone = not isinstance(written, list)
        if alone and (written is None or "list" in shapes(self.kind)):
            raise refusal(expected("a list of values", written), *place)
        entries = [written] if alone else written
        if not entries:
            raise refusal("the list is empty. Give at least one value.", *place)
        values, faults = read_entries(self.kind, entries, place, alone=alone)
        seen: set[str] = set()  # as text: values of all types can be compared quickly
        for index, value in values.items():
            if repr(value) in seen:
                words = f"{found(entries[index])} is given twice. Remove one."
                faults.append(((*place, index), words))
            seen.add(repr(value))
        raise_faults(faults)
        return tuple(values.values())

    def _bounds(self, form: type[Interval], written: Any) -> tuple[Any, ...]:
        """Return two bounds, each of which has to be a possible value."""
        if not isinstance(written, list) or len(written) != 2:
            raise refusal(expected("[low, high]", written), form.form)
        bounds, faults = read_entries(self.kind, written, (form.form,))
        for index, bound in bounds.items():
            place: Place = (form.form, index)
            if isinstance(bound, bool) or not isinstance(bound, int | float):
                faults.append((place, expected("a number", written[index])))
            elif form.positive and bound <= 0:
                faults.append((place, expected("greater than 0", written[index])))
        if not faults and bounds[0] >= bounds[1]:
            words = f"the low end must lie below the high end, found {found(written)}."
            faults.append(((form.form,), words))
        raise_faults(faults)
        return tuple(bounds.values())

    def json_schema(self, of: GetJsonSchemaHandler) -> dict[str, Any]:
        """Return ``anyOf`` of the value and the forms with several values."""
        one = schema_of(self.kind, of)
        several = {"type": "array", "items": one, "minItems": 1}
        is_list = "list" in shapes(self.kind)
        listed = several if is_list else {"anyOf": [several, one]}
        bounds = {"type": "array", "items": one, "minItems": 2, "maxItems": 2}
        forms = {
            "type": "object",
            "properties": {
                key: {
                    **(listed if issubclass(FORMS[key], ValueList) else bounds),
                    "description": FORMS[key].meaning,
                }
                for key in self._forms
            },
            "minProperties": 1,
            "maxProperties": 1,
            "additionalProperties": False,
        }
        either = [one, forms] if is_list else [one, several, forms]
        if inner := dataclass_in(self.kind):
            if issubclass(inner, SectionPlugin):
                section = section_schema(inner, _section, "Design", of)
            else:
                section = definition(section_of(inner), f"Design{inner.__name__}", of)
            either = [section, *either[1:], {"type": "null"}]
        return {"anyOf": either}


def setting_form(kind: Any) -> Any:
    """Return the type that reads a setting with one or several values."""
    return Annotated[Any, SettingReader(kind)]


@functools.cache
def section_of(plugin: Any) -> type[Section]:
    """Return the model of a plug-in's settings, each of which may have several values."""
    return _section(plugin)


def _section(plugin: type[Any], **first: Any) -> type[Section]:
    return make_section(plugin, setting_form, **first)


def read_spec(plugin: type[Any], section: type[Section], written: Mapping[str, Any]) -> PluginSpec:
    """Return the settings of a plug-in that are given, in the order of the protocol.

    Raises
    ------
    ValidationError
        With every setting that is unknown, missing or out of its bounds.
    """
    read = section.model_validate(written)
    return PluginSpec(plugin, Settings({name: getattr(read, name) for name in written}))
