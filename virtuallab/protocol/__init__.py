"""Protocols: one YAML file that describes a whole virtual experiment."""

from __future__ import annotations

from virtuallab.protocol.compare import Compare
from virtuallab.protocol.differences import differences
from virtuallab.protocol.duration import steps, visit_steps
from virtuallab.protocol.expand import cohorts, expand
from virtuallab.protocol.model import Protocol, Subjects
from virtuallab.protocol.power import Power, Prices
from virtuallab.protocol.read import fault, locate, read, read_text
from virtuallab.protocol.search import Search
from virtuallab.protocol.starter import STARTER
from virtuallab.protocol.studies import Study, studies
from virtuallab.protocol.varied import Point, Varied

__all__ = [
    "STARTER",
    "Compare",
    "Point",
    "Power",
    "Prices",
    "Protocol",
    "Search",
    "Study",
    "Subjects",
    "Varied",
    "cohorts",
    "differences",
    "expand",
    "fault",
    "locate",
    "read",
    "read_text",
    "steps",
    "studies",
    "visit_steps",
]
