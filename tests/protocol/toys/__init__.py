"""A plug-in with every kind of setting, in a registry of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal

import pytest
from annotated_types import Len
from pydantic import ValidationError

from virtuallab.fields import Count, Counts, NonNegativeFloat, PositiveFloat, setting
from virtuallab.protocol.messages.explain import faults_of
from virtuallab.protocol.messages.places import path_of
from virtuallab.protocol.settings.plugin_reader import PluginReader
from virtuallab.protocol.settings.plugin_spec import PluginSpec
from virtuallab.registry import Registry

TOYS = Registry("toy", __name__)


@dataclass(frozen=True, kw_only=True)
class Wheel:
    """A part of a toy."""

    size: PositiveFloat = setting(1.0, doc="Diameter in cm.")


ROUND = Wheel()


@TOYS.register("car")
@dataclass(frozen=True, kw_only=True)
class Car:
    """A car: it drives."""

    price: PositiveFloat = setting(doc="Price in coins.")
    speed: NonNegativeFloat = setting(1.0, doc="Speed in cm/s.")
    seats: Count = setting(2, doc="Seats.")
    colour: Literal["red", "blue"] = setting("red", doc="Colour.")
    electric: bool = setting(False, doc="Whether it hums.")
    doors: Counts = setting((2, 2), doc="Doors on each side.")
    trailer: Count | Literal["none"] | None = setting(None, doc="Length of the trailer in cm.")
    stops: Annotated[tuple[str, ...], Len(1)] | None = setting(None, doc="Where it stops.")
    wheel: Wheel = setting(ROUND, doc="Its wheels.")

    def __post_init__(self) -> None:
        if self.electric and self.speed > 10:
            raise ValueError("an electric car is not faster than 10 cm/s")


def toy(**settings: Any) -> PluginSpec:
    """Read a car with these settings."""
    return PluginReader(TOYS).read({"name": "car", **settings})


def faults(value: Any) -> list[str]:
    """Faults of what is written of a toy, by path."""
    with pytest.raises(ValidationError) as caught:
        PluginReader(TOYS).read(value)
    return [f"{path_of(place)}: {message}" for place, message in faults_of(caught.value)]
