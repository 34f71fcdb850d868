"""Specifications of plug-ins in a protocol: a class and its settings, some with several values."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, is_dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from virtuallab.fields import SectionPlugin, field_values, without_places, written_settings
from virtuallab.protocol.settings.distributions import Distribution, Grid, Variation
from virtuallab.protocol.settings.section import Section, instantiate, settings_of

MOST_POINTS = 10_000
"""Most points of a grid that are built when the protocol is read."""


class Settings(dict[str, Any]):
    """Settings by name: a value, a grid, a distribution, or the specification of a section.

    A setting inside a section has a path: ``noise.snr``, ``optimizer.learning_rate``.
    """

    def leaves(self, prefix: str = "") -> Iterator[tuple[str, Any]]:
        """Yield path and value of each setting, also of those inside sections."""
        for name, value in self.items():
            if isinstance(value, PluginSpec):
                yield from value.settings.leaves(f"{prefix}{name}.")
            else:
                yield f"{prefix}{name}", value

    @property
    def grid(self) -> dict[str, Grid]:
        """Settings that are grids, by path."""
        return {path: value for path, value in self.leaves() if isinstance(value, Grid)}

    @property
    def space(self) -> dict[str, Distribution]:
        """Settings that are distributions, by path."""
        return {path: value for path, value in self.leaves() if isinstance(value, Distribution)}

    @property
    def size(self) -> int:
        """Number of points of the grid."""
        return math.prod(len(each.values) for each in self.grid.values())

    def combinations(self) -> Iterator[dict[str, Any]]:
        """Yield every combination of the values of the grid, as path -> value."""
        grid = self.grid
        for row in itertools.product(*(each.values for each in grid.values())):
            yield dict(zip(grid, row, strict=True))

    def points(self) -> Iterator[Settings]:
        """Yield the settings at every point of the grid; distributions stay open."""
        return map(self.replaced, self.combinations())

    def drawn(self, stream_of: Callable[[str], np.random.Generator]) -> dict[str, Any]:
        """Return a value drawn from each distribution, by path.

        Parameters
        ----------
        stream_of : callable
            Returns the random stream of a setting by its path, so that a draw does not depend on
            other settings.
        """
        return {path: each.draw(stream_of(path)) for path, each in self.space.items()}

    def examples(self) -> dict[str, Any]:
        """Return one possible value of each distribution, always the same, by path."""
        return {path: each.example() for path, each in self.space.items()}

    def replaced(self, values: Mapping[str, Any]) -> Settings:
        """Return the settings with other values of some of them, by path."""
        made = Settings()
        for name, value in self.items():
            if isinstance(value, PluginSpec):
                start = f"{name}."
                inner = {k.removeprefix(start): v for k, v in values.items() if k.startswith(start)}
                made[name] = PluginSpec(value.plugin, value.settings.replaced(inner))
            else:
                made[name] = values.get(name, value)
        return made


@dataclass(frozen=True)
class PluginSpec:
    """A plug-in with settings that may have several values.

    Parameters
    ----------
    plugin : type
        A frozen dataclass.
    settings : Settings
        By field.
    """

    plugin: type[Any]
    settings: Settings

    def points(self) -> tuple[Any, ...]:
        """Return a specification of this class for each point; distributions stay open."""
        return tuple(replace(self, settings=each) for each in self.settings.points())

    def build(self, values: Mapping[str, Any] | None = None) -> Any:
        """Return the plug-in, with the value at each path for settings that have several."""
        made = self.settings.replaced(values or {})
        parts = {k: v.build() if isinstance(v, PluginSpec) else v for k, v in made.items()}
        return self.plugin(**parts)

    def draw(self, stream_of: Callable[[str], np.random.Generator]) -> Any:
        """Return the plug-in of one subject; see :meth:`Settings.drawn`."""
        return self.build(self.settings.drawn(stream_of))

    def example(self) -> Any:
        """Return one possible plug-in, always the same; no setting may be a grid."""
        return self.build(self.settings.examples())

    def checked(self) -> PluginSpec:
        """Return the specification after building every point of its grid.

        Raises
        ------
        ValidationError
            If the plug-in refuses a combination of settings.
        """
        # One draw is enough: bounds are checked already, and other checks of a plug-in are rare.
        drawn = self.settings.examples()
        if self.settings.size <= MOST_POINTS:
            for row in self.settings.combinations():
                instantiate(self.build, values=drawn | row)
        return self

    def completed(self, *place: str) -> Any:
        """Return the specification with all settings, at their defaults if not given.

        If no setting has several values, the plug-in itself is returned. ``place`` is the place in
        the protocol, for the error.
        """
        filled = Settings({each.name: each.default for each in settings_of(self.plugin)})
        for name, value in self.settings.items():
            inner = isinstance(value, PluginSpec)
            filled[name] = value.completed(*place, name) if inner else value
        spec = PluginSpec(self.plugin, filled)
        varies = any(isinstance(each, Variation) for _, each in filled.leaves())
        return spec if varies else instantiate(spec.build, *place)

    def written(self) -> dict[str, Any]:
        """Return the section as in a protocol, with the name of a plug-in from a registry."""
        if issubclass(self.plugin, SectionPlugin):
            return self.plugin.with_name(plain(self.settings))
        if not hasattr(self.plugin, "name"):
            return dict(plain(self.settings))
        return {"name": self.plugin.name, **plain(written_settings(self.plugin, self.settings))}

    def identifying(self) -> dict[str, Any]:
        """Return the section without settings that tell where files are."""
        inner = {
            key: value.identifying()
            for key, value in self.settings.items()
            if hasattr(value, "identifying")
        }
        return without_places(self.plugin, self.written() | inner)


def plain(value: Any) -> Any:
    """Return a value of a protocol as plain data, as JSON has it."""
    if hasattr(value, "written"):
        return plain(value.written())
    if isinstance(value, Section):
        return {key: plain(getattr(value, key)) for key in type(value).model_fields}
    if is_dataclass(value) and not isinstance(value, type):
        return plain(written_settings(type(value), field_values(value)))
    if isinstance(value, Mapping):
        return {key: plain(each) for key, each in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return [plain(each) for each in value]
    if hasattr(value, "tolist"):  # of numpy
        return value.tolist()
    return str(value) if isinstance(value, Path) else value
