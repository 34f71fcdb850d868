"""Protocols: one YAML file that describes a whole virtual experiment."""

from __future__ import annotations

from virtuallab.protocol.differences import differences
from virtuallab.protocol.expansion import cohorts, expand
from virtuallab.protocol.model import Protocol
from virtuallab.protocol.reading.read import STARTER, as_protocol, read, read_text
from virtuallab.protocol.search_studies import SearchStudy, search_studies
from virtuallab.protocol.sections.compare import Compare
from virtuallab.protocol.sections.design import DesignPoint, design_points
from virtuallab.protocol.sections.power import Power, Prices
from virtuallab.protocol.sections.search import Search
from virtuallab.protocol.sections.subjects import Subjects
from virtuallab.protocol.settings.plugin_spec import PluginSpec

__all__ = [
    "STARTER",
    "Compare",
    "DesignPoint",
    "PluginSpec",
    "Power",
    "Prices",
    "Protocol",
    "Search",
    "SearchStudy",
    "Subjects",
    "as_protocol",
    "cohorts",
    "design_points",
    "differences",
    "expand",
    "read",
    "read_text",
    "search_studies",
]
