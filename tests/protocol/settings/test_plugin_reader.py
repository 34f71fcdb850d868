"""A plug-in: its name and its settings."""

from __future__ import annotations

from typing import Any

import pytest

from tests.protocol.toys import faults, toy


def test_a_bare_name_stands_for_all_defaults() -> None:
    assert faults("car") == ["price: missing key. It has no default."]
    assert toy(price=3).settings["doors"] == (2, 2)


@pytest.mark.parametrize(
    ("value", "fault"),
    [
        ("cra", ": no toy is called 'cra'. Did you mean 'car'? Known: car."),
        ({"name": "zeppelin"}, "name: no toy is called 'zeppelin'. Known: car."),
        ({"name": 5}, "name: should be the name of a toy, found 5."),
        ({"price": 5}, "name: missing key. Known: car."),
        (5, ": should be the name of a toy, or a mapping of its settings, found 5."),
        (None, ": should be the name of a toy, or a mapping of its settings, found nothing."),
    ],
)
def test_a_wrong_plugin_is_told_at_its_place(value: Any, fault: str) -> None:
    assert faults(value) == [fault]


def test_every_fault_of_a_plugin_is_told() -> None:
    assert len(faults({"name": "car", "speed": -1, "seats": "x", "colr": 1})) == 4
