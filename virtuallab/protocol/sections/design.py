"""Recording designs with settings that have several values, or are open."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import GetJsonSchemaHandler

from virtuallab.probes import Probe
from virtuallab.protocol.messages.explain import expected, refusal
from virtuallab.protocol.settings.plugin_spec import MOST_POINTS, PluginSpec
from virtuallab.protocol.settings.readers import Reader
from virtuallab.protocol.settings.section import definition
from virtuallab.protocol.settings.setting_reader import read_spec, section_of


@dataclass(frozen=True)
class DesignPoint:
    """A point of a grid of recording designs.

    Parameters
    ----------
    settings : mapping from str to object
        Values of the settings that the grid varies, by path: ``noise.snr``.
    probe : Probe
    """

    settings: Mapping[str, Any]
    probe: Probe


def design_points(design: PluginSpec) -> tuple[DesignPoint, ...]:
    """Return every design of a grid.

    Parameters
    ----------
    design : PluginSpec
        Of a probe, without open settings.
    """
    rows = design.settings.combinations()
    return tuple(DesignPoint(row, design.build(row)) for row in rows)


class DesignReader(Reader):
    """Reader of a recording design, whose settings may each have several values."""

    def read(self, value: Any) -> PluginSpec:
        """Return the settings that are given, after building every design of the grid."""
        if not isinstance(value, dict):
            raise refusal(expected("a mapping of a probe's settings", value))
        design = read_spec(Probe, section_of(Probe), value)
        if design.settings.size > MOST_POINTS:
            raise refusal(
                f"these are {design.settings.size:,} designs; at most {MOST_POINTS:,} are possible."
            )
        return design.checked()

    def json_schema(self, of: GetJsonSchemaHandler) -> dict[str, Any]:
        """Return the schema of the section."""
        return definition(section_of(Probe), "Design", of)


Design = Annotated[Any, DesignReader()]  # a PluginSpec
