"""Protocols: one YAML file that describes a whole virtual experiment."""

from __future__ import annotations

from virtuallab.protocol.differences import differences
from virtuallab.protocol.expansion import cohorts, expand
from virtuallab.protocol.model import Protocol, Subjects
from virtuallab.protocol.reading.read import fault, locate, read, read_text
from virtuallab.protocol.reading.starter import STARTER
from virtuallab.protocol.search_studies import Study, studies
from virtuallab.protocol.sections.compare import Compare
from virtuallab.protocol.sections.design import Point, Varied
from virtuallab.protocol.sections.power import Power, Prices
from virtuallab.protocol.sections.search import Search
from virtuallab.protocol.sections.training_length import steps, visit_steps

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
