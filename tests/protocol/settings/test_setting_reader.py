"""A setting: a value, a list or a distribution, or a section of settings."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
import pytest
from pydantic import TypeAdapter

from tests.protocol.toys import Wheel, faults, toy
from virtuallab.protocol.settings.distributions import (
    FORMS,
    Choice,
    Grid,
    Interval,
    LogUniform,
    Uniform,
)
from virtuallab.protocol.settings.plugin_spec import plain
from virtuallab.protocol.settings.setting_reader import SettingReader


def test_a_whole_number_is_read_as_a_float_where_a_float_is_meant() -> None:
    price = toy(price=3).settings["price"]
    assert isinstance(price, float)


@pytest.mark.parametrize(
    ("settings", "fault"),
    [
        ({"speed": "1e-3"}, "speed: should be a number, found '1e-3' (text). Remove the quotes."),
        ({"speed": -1}, "speed: should be at least 0, found -1."),
        ({"speed": True}, "speed: should be a number, found true."),
        ({"speed": float("inf")}, "speed: should be a finite number, found inf."),
        ({"speed": None}, "speed: should be a number, found nothing."),
        ({"seats": 1.5}, "seats: should be a whole number, found 1.5."),
        ({"seats": "8"}, "seats: should be a whole number, found '8' (text). Remove the quotes."),
        ({"seats": 0}, "seats: should be at least 1, found 0."),
        ({"colour": "green"}, "colour: should be 'red' or 'blue', found 'green' (text)."),
        ({"electric": "no"}, "electric: should be true or false, found 'no' (text)."),
        ({"doors": -4}, "doors: should be at least 1, found -4."),
        ({"doors": None}, "doors: should be a list, found nothing."),
        ({"doors": []}, "doors: the list is empty. Give at least one."),
        ({"doors": [2, -2]}, "doors[1]: should be at least 1, found -2."),
        ({"trailer": 0.5}, "trailer: should be a whole number or 'none', found 0.5."),
        ({"trailer": "non"}, "trailer: should be a whole number or 'none', found 'non' (text). "
         "Did you mean 'none'?"),
        ({"trailer": 0}, "trailer: should be at least 1, found 0."),
        ({"stops": ["here", 5]}, "stops[1]: should be text, found 5. Put it in quotes: '5'."),
        ({"sped": 1}, "sped: unknown key. Did you mean 'speed'? Keys here: colour, doors, "
                      "electric, name, price, seats, speed, stops, trailer, wheel."),
        ({"speed": []}, "speed: the list is empty. Give at least one value."),
        ({"speed": {"grid": []}}, "speed.grid: the list is empty. Give at least one value."),
        ({"speed": {"grid": None}}, "speed.grid: should be a list of values, found nothing."),
        ({"speed": {"grid": -1}}, "speed.grid: should be at least 0, found -1."),
        ({"speed": [1, 2, 1]}, "speed[2]: 1 is given twice. Remove one."),
        ({"speed": [1, -1]}, "speed[1]: should be at least 0, found -1."),
        ({"speed": {"choice": [1, -1]}}, "speed.choice[1]: should be at least 0, found -1."),
        ({"speed": {"uniform": [2, 1]}},
         "speed.uniform: the low end must lie below the high end, found [2, 1]."),
        ({"speed": {"log_uniform": [1, 1]}},
         "speed.log_uniform: the low end must lie below the high end, found [1, 1]."),
        ({"speed": {"log_uniform": [0, 1]}},
         "speed.log_uniform[0]: should be greater than 0, found 0."),
        ({"price": {"uniform": [-1, 1]}},
         "price.uniform[0]: should be greater than 0, found -1."),
        ({"speed": {"uniform": [1, 2, 3]}},
         "speed.uniform: should be [low, high], found [1, 2, 3]."),
        ({"speed": {"loguniform": [1, 2]}}, "speed.loguniform: unknown key. Did you mean "
         "'log_uniform'? Keys here: choice, grid, log_uniform, uniform."),
        ({"speed": {"uniform": [1, 2], "choice": [1]}},
         "speed: takes one of grid, choice, uniform, log_uniform, "
         "found a mapping of uniform, choice."),
        ({"electric": {"uniform": [0, 1]}},
         "electric.uniform: unknown key. Keys here: choice, grid."),
        ({"trailer": {"uniform": ["none", 5]}},
         "trailer.uniform[0]: should be a number, found 'none' (text)."),
        ({"electric": True, "speed": 20}, ": an electric car is not faster than 10 cm/s."),
        ({"electric": [False, True], "speed": 20}, ": an electric car is not faster than 10 cm/s."),
    ],
)  # fmt: skip
def test_a_wrong_setting_is_told_once_and_at_its_place(
    settings: dict[str, Any], fault: str
) -> None:
    assert faults({"name": "car", "price": 1, **settings}) == [fault]


def test_a_setting_is_a_value_a_grid_or_a_distribution() -> None:
    read = toy(
        price={"log_uniform": [1, 10]},
        speed=[1, 2],
        seats={"uniform": [1, 4]},
        colour=["red", "blue"],
        electric={"choice": [False, True]},
        doors={"grid": [[2], [2, 4]]},
        trailer="none",
        wheel={"size": 2},
    ).settings
    assert read == {
        "price": LogUniform(1.0, 10.0),
        "speed": Grid((1.0, 2.0)),
        "seats": Uniform(1, 4),
        "colour": Grid(("red", "blue")),
        "electric": Choice((False, True)),
        "doors": Grid(((2,), (2, 4))),
        "trailer": "none",
        "stops": None,
        "wheel": Wheel(size=2.0),
    }


def test_a_setting_within_a_section_may_have_several_values_too() -> None:
    made = toy(price=1, wheel={"size": [1, 2]})
    assert made.settings.grid == {"wheel.size": Grid((1.0, 2.0))}
    assert [point.build().wheel for point in made.points()] == [Wheel(size=1.0), Wheel(size=2.0)]
    assert faults({"name": "car", "price": 1, "wheel": {"size": [1, 0]}}) == [
        "wheel.size[1]: should be greater than 0, found 0."
    ]


class Halved(Interval):
    form = "halved"
    meaning = "Half of the low end."

    def draw(self, stream: np.random.Generator) -> float:
        return self.low / 2


def test_a_new_distribution_is_one_class(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(FORMS, Halved.form, Halved)
    made = toy(price={"halved": [1, 2]})
    assert made.draw(lambda _: np.random.default_rng(0)).price == 0.5
    assert plain(made)["price"] == {"halved": [1.0, 2.0]}
    form = TypeAdapter(Annotated[float, SettingReader(float)]).json_schema()["anyOf"][-1]
    assert form["properties"]["halved"]["description"] == Halved.meaning
