"""Recording designs some of whose settings take several values, or are still open."""

from __future__ import annotations

import functools
import itertools
import types
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, is_dataclass
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import GetJsonSchemaHandler

from virtuallab.probe import Probe
from virtuallab.protocol.messages.explain import expected, refusal
from virtuallab.protocol.settings.distributions import Distribution, Grid
from virtuallab.protocol.settings.section import (
    Reader,
    Section,
    built,
    definition,
    make_section,
    settings_of,
)
from virtuallab.protocol.settings.setting_reader import Swept

MOST = 10_000  # designs of one grid


@dataclass(frozen=True)
class Point:
    """One design of a grid.

    Parameters
    ----------
    settings : mapping
        Path of each setting that the grid varies, ``noise.snr`` -> its value here.
    probe : Probe
    """

    settings: Mapping[str, Any]
    probe: Probe


@dataclass(frozen=True)
class Varied:
    """A design some of whose settings are grids or distributions.

    Parameters
    ----------
    settings : mapping
        Path of each setting that is given, ``units`` or ``noise.snr`` -> value, :class:`Grid` or
        :class:`Distribution`.
    """

    settings: Mapping[str, Any]

    @property
    def grid(self) -> dict[str, tuple[Any, ...]]:
        """Settings that take several values, each of which is tried."""
        return {k: v.values for k, v in self.settings.items() if isinstance(v, Grid)}

    @property
    def space(self) -> dict[str, Distribution]:
        """Settings that are open."""
        return {k: v for k, v in self.settings.items() if isinstance(v, Distribution)}

    @property
    def size(self) -> int:
        """How many designs its grids have."""
        size = 1
        for values in self.grid.values():
            size *= len(values)
        return size

    def points(self) -> tuple[Point, ...]:
        """Every design of its grids; it must leave nothing open."""
        grid = self.grid
        rows = (dict(zip(grid, row, strict=True)) for row in itertools.product(*grid.values()))
        return tuple(Point(row, self.made(row)) for row in rows)

    def made(self, values: Mapping[str, Any]) -> Probe:
        """Make the probe in which the settings that vary have these values."""
        probe: Probe = _nested(Probe, {**self.settings, **values})
        return probe

    def written(self) -> dict[str, Any]:
        """Return it as a protocol writes it; values are not plain yet."""
        found: dict[str, Any] = {}
        for path, value in self.settings.items():
            *outer, last = path.split(".")
            at = found
            for key in outer:
                at = at.setdefault(key, {})
            at[last] = value
        return found


def _nested(plugin: type[Any], flat: Mapping[str, Any]) -> Any:
    """Make a dataclass of settings by path."""
    made: dict[str, Any] = {}
    for setting in settings_of(plugin):
        name = setting.name
        below = {k.removeprefix(f"{name}."): v for k, v in flat.items() if k.startswith(f"{name}.")}
        if below:
            made[name] = _nested(_inner(setting.kind), below)
        elif name in flat:
            made[name] = flat[name]
    return built(plugin, made)


def _inner(kind: Any) -> Any:
    """Return the dataclass that a setting holds, if it can hold nothing else; None otherwise."""
    origin, parts = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return _inner(parts[0])
    if origin in (Union, types.UnionType):
        rest = [part for part in parts if part is not types.NoneType]
        return _inner(rest[0]) if len(rest) == 1 else None
    return kind if is_dataclass(kind) else None


@dataclass(frozen=True)
class VariedReader(Reader):
    """Reads a recording design; every setting, of its sections too, may be a grid or open."""

    def read(self, value: Any) -> Varied:
        """Read the settings that are given, and try that each design can be made."""
        if not isinstance(value, dict):
            raise refusal([((), expected("a mapping of a probe's settings", value))], value)
        found = Varied(dict(_read(Probe, value)))
        if found.size > MOST:
            words = f"these are {found.size:,} designs; at most {MOST:,} are possible."
            raise refusal([((), words)], value)
        lowest = {path: each.example() for path, each in found.space.items()}
        for point in Varied({**found.settings, **lowest}).points():
            assert point.probe
        return found

    def json_schema(self, of: GetJsonSchemaHandler) -> dict[str, Any]:
        """Return the schema of the section."""
        return definition(_section(Probe), "Design", of)


def _read(plugin: type[Any], value: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    section: Section = _section(plugin).model_validate(value)  # type: ignore[arg-type]
    for name in value:
        read = getattr(section, name)
        if isinstance(read, _Within):
            yield from ((f"{name}.{path}", each) for path, each in read.settings)
        else:
            yield name, read


@functools.cache
def _section(plugin: type[Any]) -> type[Section]:
    return make_section(plugin, _form)


def _form(kind: Any) -> Any:
    inner = _inner(kind)
    return Annotated[Any, Swept(kind, drawn=True) if inner is None else _Inside(kind)]


@dataclass(frozen=True)
class _Within:
    """What was read of a section within a design."""

    settings: tuple[tuple[str, Any], ...]


@dataclass(frozen=True)
class _Inside(Reader):
    """Reads a section within a design: its settings one by one, or a grid of whole sections."""

    kind: Any

    def read(self, value: Any) -> Any:
        """Return a grid, nothing, or what was given of the section."""
        if isinstance(value, dict) and "grid" not in value and value:
            return _Within(tuple(_read(_inner(self.kind), value)))
        return Swept(self.kind).read(value)

    def json_schema(self, of: GetJsonSchemaHandler) -> dict[str, Any]:
        """Return ``anyOf`` the section and a grid of them."""
        inner = _inner(self.kind)
        mine = definition(_section(inner), f"Design{inner.__name__}", of)
        return {"anyOf": [mine, *Swept(self.kind).json_schema(of)["anyOf"][1:], {"type": "null"}]}
