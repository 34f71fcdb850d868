"""Specifications of plug-ins, their points and draws."""

from __future__ import annotations

import numpy as np

from tests.protocol.toys import TOYS, toy
from virtuallab.protocol.settings.distributions import Uniform
from virtuallab.protocol.settings.plugin_reader import PluginReader
from virtuallab.protocol.settings.plugin_spec import plain


def test_a_specification_written_out_reads_back_as_itself() -> None:
    made = toy(price={"log_uniform": [1, 10]}, speed=[1, 2], doors={"choice": [[2], [2, 4]]})
    assert PluginReader(TOYS).read(plain(made)) == made


def test_the_points_of_a_specification_are_all_combinations_of_its_grids() -> None:
    made = toy(price=1, speed=[1, 2, 3], colour=["red", "blue"], seats={"uniform": [1, 9]})
    points = made.points()
    assert len(points) == made.settings.size == 6
    assert {(p.settings["speed"], p.settings["colour"]) for p in points} == {
        (speed, colour) for speed in (1.0, 2.0, 3.0) for colour in ("red", "blue")
    }
    assert {p.settings["seats"] for p in points} == {Uniform(1, 9)}


def test_every_setting_is_drawn_from_a_stream_of_its_own() -> None:
    made = toy(price={"uniform": [1, 10]}, wheel={"size": {"uniform": [1, 10]}})
    asked: list[str] = []

    def stream_of(path: str) -> np.random.Generator:
        asked.append(path)
        return np.random.default_rng(len(asked))

    car = made.draw(stream_of)
    assert asked == ["price", "wheel.size"]
    assert car.price != car.wheel.size


def test_some_values_are_replaced_and_the_others_stay() -> None:
    made = toy(price=1, seats={"uniform": [1, 9]}, wheel={"size": {"uniform": [1, 10]}})
    replaced = made.settings.replaced({"wheel.size": 2.0})
    assert list(replaced.space) == ["seats"]
    assert replaced["wheel"].build().size == 2.0
