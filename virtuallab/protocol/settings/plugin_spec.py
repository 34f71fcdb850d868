"""Plug-ins as a protocol describes them: a class and its settings, some with several values."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np

from virtuallab.fields import identifying_settings
from virtuallab.protocol.settings.distributions import Distribution, Grid, Variation
from virtuallab.protocol.settings.section import Section, instantiate, settings_of

MOST_POINTS = 10_000
"""Points of a grid up to which each is built when the protocol is read."""


class Settings(dict[str, Any]):
    """Settings by name: a value, a grid or a distribution, or the specification of a section.

    A path names a setting inside a section: ``noise.snr``, ``optimizer.learning_rate``.
    """

    def leaves(self, prefix: str = "") -> Iterator[tuple[str, Any]]:
        """Yield path and value of each setting, those inside a section one by one."""
        for name, value in self.items():
            if isinstance(value, PluginSpec):
                yield from value.settings.leaves(f"{prefix}{name}.")
            else:
                yield f"{prefix}{name}", value

    @property
    def grid(self) -> dict[str, Grid]:
        """Settings of which every value is tried, by path."""
        return {path: value for path, value in self.leaves() if isinstance(value, Grid)}

    @property
    def space(self) -> dict[str, Distribution]:
        """Settings that are drawn or searched, by path."""
        return {path: value for path, value in self.leaves() if isinstance(value, Distribution)}

    @property
    def size(self) -> int:
        """Number of points of the grid."""
        return math.prod(len(each.values) for _, each in self.leaves() if isinstance(each, Grid))

    def combinations(self) -> Iterator[dict[str, Any]]:
        """Yield every combination of the values of the grid, as path -> value."""
        grid = {path: each.values for path, each in self.leaves() if isinstance(each, Grid)}
        for row in itertools.product(*grid.values()):
            yield dict(zip(grid, row, strict=True))

    def points(self) -> Iterator[Settings]:
        """Yield the settings at every point of the grid; distributions stay open."""
        return map(self.replaced, self.combinations())

    def drawn(self, stream_of: Callable[[str], np.random.Generator]) -> dict[str, Any]:
        """Draw a value of each distribution, as path -> value.

        Parameters
        ----------
        stream_of : callable
            Returns the random stream of a setting by its path, so that no draw depends on which
            other settings are drawn.
        """
        return {path: each.draw(stream_of(path)) for path, each in self.space.items()}

    def replaced(self, values: Mapping[str, Any]) -> Settings:
        """Return the settings with some values replaced, given by path."""
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
    """A plug-in some of whose settings may still have several values.

    Parameters
    ----------
    plugin : type
        Its class, a frozen dataclass.
    settings : Settings
        By field.
    """

    plugin: type[Any]
    settings: Settings

    def points(self) -> tuple[PluginSpec, ...]:
        """Return every point of its grid; distributions stay open."""
        return tuple(PluginSpec(self.plugin, each) for each in self.settings.points())

    def build(self, values: Mapping[str, Any] | None = None) -> Any:
        """Make the plug-in with these values, by path, of all settings that have several."""
        made = self.settings.replaced(values or {})
        parts = {k: v.build() if isinstance(v, PluginSpec) else v for k, v in made.items()}
        return self.plugin(**parts)

    def draw(self, stream_of: Callable[[str], np.random.Generator]) -> Any:
        """Make the plug-in of one subject; see :meth:`Settings.drawn`."""
        return self.build(self.settings.drawn(stream_of))

    def example(self) -> Any:
        """Make a plug-in that can be drawn, always the same one; its grid has to be opened out."""
        return self.build({path: each.example() for path, each in self.settings.space.items()})

    def checked(self) -> PluginSpec:
        """Return it, once the plug-in itself accepts every point of its grid.

        Raises
        ------
        ValidationError
            If it refuses a combination of settings.
        """
        # One draw will do: its bounds are checked, and what else a plug-in checks is rare.
        leaves = self.settings.leaves()
        drawn = {path: each.example() for path, each in leaves if isinstance(each, Distribution)}
        if self.settings.size <= MOST_POINTS:
            for row in self.settings.combinations():
                instantiate(self.build, values=drawn | row)
        return self

    def completed(self, *place: str) -> Any:
        """Return it with every setting, those not given at their defaults.

        Where none of them has several values, the plug-in itself is returned; ``place`` is where
        it stands, for the error.
        """
        filled = Settings({each.name: each.default for each in settings_of(self.plugin)})
        for name, value in self.settings.items():
            inner = isinstance(value, PluginSpec)
            filled[name] = value.completed(*place, name) if inner else value
        spec = PluginSpec(self.plugin, filled)
        varies = any(isinstance(each, Variation) for _, each in filled.leaves())
        return spec if varies else instantiate(spec.build, *place)

    def written(self) -> dict[str, Any]:
        """Return it as a protocol writes it: under its name, if it is from a registry."""
        if not hasattr(self.plugin, "name"):
            return dict(plain(self.settings))
        return {"name": self.plugin.name, **plain(identifying_settings(self.plugin, self.settings))}


def plain(value: Any) -> Any:
    """Value of a protocol as JSON has it: mappings, lists, text, numbers, true, false and null."""
    if hasattr(value, "written"):
        return plain(value.written())
    if isinstance(value, Section):
        return {key: plain(getattr(value, key)) for key in type(value).model_fields}
    if is_dataclass(value) and not isinstance(value, type):
        return plain(asdict(value))
    if isinstance(value, Mapping):
        return {key: plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    if hasattr(value, "tolist"):  # of numpy
        return value.tolist()
    return str(value) if isinstance(value, Path) else value
