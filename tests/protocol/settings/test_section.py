"""Sections made from the fields of a plug-in."""

from __future__ import annotations

from tests.protocol.toys import Car
from virtuallab.protocol.settings.readers import readable
from virtuallab.protocol.settings.section import make_section, settings_of


def test_keys_carry_the_meaning_of_the_setting() -> None:
    assert make_section(Car, readable).model_fields["price"].description == "Price in coins."


def test_settings_are_the_fields_in_their_order() -> None:
    found = settings_of(Car)
    assert [each.name for each in found][:3] == ["price", "speed", "seats"]
    assert [each.required for each in found][:2] == [True, False]
    assert found[1].default == 1.0
