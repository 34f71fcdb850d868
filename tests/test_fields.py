"""Declarations of the settings of plug-ins, and what is derived from them."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, ClassVar

import pytest
from pydantic import TypeAdapter, ValidationError

from virtuallab import fields
from virtuallab.errors import UnknownName
from virtuallab.fields import (
    MOST,
    PositiveFloat,
    SectionPlugin,
    float_fields,
    identifying_settings,
    setting,
)


@dataclass(frozen=True, kw_only=True)
class Example:
    """A plug-in."""

    required: float = setting(doc="A number.", unit="s")
    count: int = setting(3, doc="A count.")
    bounded: PositiveFloat = setting(0.5, doc="A rate.")
    newer: float = setting(0.0, doc="A later setting.", added=True)


@pytest.mark.parametrize(
    ("kind", "valid", "refused"),
    [
        ("PositiveFloat", [1e-9, 5.0], [0.0, -1.0]),
        ("NonNegativeFloat", [0.0, 5.0], [-1e-9]),
        ("Fraction", [0.0, 1.0], [-0.1, 1.1]),
        ("Momentum", [0.0, 0.99], [1.0, -0.1]),
        ("Count", [1, MOST], [0, MOST + 1]),
        ("NonNegativeInt", [0, MOST], [-1, MOST + 1]),
        ("Counts", [(1,), (3, 4)], [(), (0,), (3, 0)]),
    ],
)
def test_a_type_allows_the_values_within_its_bounds_and_no_others(
    kind: str, valid: list[Any], refused: list[Any]
) -> None:
    adapter = TypeAdapter(getattr(fields, kind))
    for value in valid:
        assert adapter.validate_python(value) == value
    for value in refused:
        with pytest.raises(ValidationError):
            adapter.validate_python(value)


def test_a_setting_without_a_default_is_required() -> None:
    with pytest.raises(TypeError, match="required"):
        Example()  # type: ignore[call-arg]
    assert Example(required=1.0).count == 3


def test_a_field_keeps_the_meaning_and_the_unit_of_its_setting() -> None:
    found = {field.name: field.metadata for field in dataclasses.fields(Example)}
    assert found["required"] == {"doc": "A number.", "unit": "s", "added": False, "place": False}
    assert found["newer"] == {"doc": "A later setting.", "unit": "", "added": True, "place": False}


def test_a_setting_that_was_added_identifies_a_plugin_only_if_it_is_not_the_default() -> None:
    usual = dataclasses.asdict(Example(required=1.0))
    assert identifying_settings(Example, usual) == {"required": 1.0, "count": 3, "bounded": 0.5}
    changed = usual | {"newer": 0.1}
    assert identifying_settings(Example, changed) == changed


def test_only_plain_real_numbers_may_differ_within_a_cohort() -> None:
    # An int and a bounded float say so in their types, also where annotations are text.
    assert "count" not in float_fields(Example)
    assert {"required", "newer"} <= float_fields(Example)


class Section(SectionPlugin):
    """Base of two plug-ins."""

    default_name: ClassVar[str] = "usual"


@dataclass(frozen=True, kw_only=True)
class Usual(Section):
    """The plug-in that a section without a name means."""

    name: ClassVar[str] = "usual"
    size: float = setting(1.0, doc="Size.")


@dataclass(frozen=True, kw_only=True)
class Rare(Section):
    """A plug-in that has to be named."""

    name: ClassVar[str] = "rare"
    depth: int = setting(2, doc="Depth.")


class _Names(dict[str, type[Section]]):
    def __missing__(self, name: str) -> type[Section]:
        raise UnknownName("section", name, self)


Section.registry = _Names(usual=Usual, rare=Rare)


@pytest.mark.parametrize(
    ("section", "plugin", "written"),
    [
        ({}, Usual(), {"size": 1.0}),
        ({"name": "usual", "size": 3.0}, Usual(size=3.0), {"size": 3.0}),
        ({"name": "rare"}, Rare(), {"name": "rare", "depth": 2}),
    ],
)
def test_a_section_is_read_and_written_with_a_name_only_where_it_is_not_the_default(
    section: dict[str, Any], plugin: Section, written: dict[str, Any]
) -> None:
    before = dict(section)
    assert Section.from_section(section) == plugin
    assert section == before, "reading changes no section"
    assert plugin.written() == written
    assert Section.from_section(plugin.written()) == plugin


def test_a_section_with_an_unknown_name_is_refused() -> None:
    with pytest.raises(UnknownName, match="usul"):
        Section.parse({"name": "usul"})
