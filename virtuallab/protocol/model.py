"""The model of a protocol: subjects, probes, analyses, and the sections of further commands."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from annotated_types import Ge, Lt
from pydantic import AfterValidator, Field, PrivateAttr, model_validator

from virtuallab.decoder import Analysis
from virtuallab.errors import Fault
from virtuallab.probes import Probe
from virtuallab.protocol.messages.explain import raise_faults, refusals
from virtuallab.protocol.messages.places import Place, SourceLines, place_of
from virtuallab.protocol.sections.compare import ClassifierName, Compare
from virtuallab.protocol.sections.power import Power
from virtuallab.protocol.sections.search import Search
from virtuallab.protocol.sections.subjects import Subjects
from virtuallab.protocol.settings.plugin_spec import plain
from virtuallab.protocol.settings.readers import (
    DataclassReader,
    read_entries,
)
from virtuallab.protocol.settings.section import Name, Section


def _known_classifiers(analysis: Analysis) -> Analysis:
    _, faults = read_entries(ClassifierName, analysis.classifiers, ("classifiers",))
    raise_faults(faults)
    return analysis


class Protocol(Section):
    """A virtual experiment: subjects, probes and analyses."""

    schema_version: Literal[1] = Field(description="Version of this format.")
    name: Name = Field(description="Name of the experiment; it is kept in runs/NAME.zarr.")
    question: str = Field("", description="Question of the experiment, in one sentence.")
    seed: Annotated[int, Ge(0), Lt(2**63)] = Field(
        description="Seed from which every random stream derives."
    )
    subjects: Subjects = Field(description="The networks, and how they learn.")
    probes: dict[Name, Annotated[Probe, DataclassReader(Probe)]] = Field(
        {}, description="Recording designs, by name."
    )
    analyses: dict[
        Name, Annotated[Analysis, DataclassReader(Analysis), AfterValidator(_known_classifiers)]
    ] = Field({}, description="Decoding analyses, by name.")
    search: Search | None = Field(
        None, description="How `virtuallab search` tunes open settings; `run` does not use it."
    )
    compare: Compare | None = Field(
        None, description="Which designs `virtuallab compare` compares; `run` does not use it."
    )
    power: Power | None = Field(
        None, description="What `virtuallab power` has to reach; `run` does not use it."
    )

    _source: SourceLines = PrivateAttr(default_factory=SourceLines)

    @model_validator(mode="after")
    def _names_differ(self) -> Protocol:
        """Refuse names that differ in capitals alone, which many disks do not distinguish."""
        faults: list[tuple[Place, str]] = []
        for key in ("probes", "analyses"):
            seen: dict[str, str] = {}
            for name in getattr(self, key):
                first = seen.setdefault(name.casefold(), name)
                if first != name:
                    words = f"differs from {first!r} in capitals alone. Give it another name."
                    faults.append(((key, name), words))
        raise_faults(faults)
        return self

    @model_validator(mode="after")
    def _something_is_kept(self) -> Protocol:
        """Refuse subjects that are neither preserved nor recorded."""
        if not (self.subjects.preserve or self.probes):
            words = (
                "found false, and no probe records during training: nothing would be kept of the "
                "subjects. Add probes, or preserve the subjects."
            )
            raise refusals([(("subjects", "preserve"), words)])
        return self

    @property
    def text(self) -> str:
        """Text of the protocol as written, with comments and without overrides."""
        return self._source.text

    @property
    def overrides(self) -> tuple[str, ...]:
        """Settings that replace those of the file, ``"subjects.replicates=2"``."""
        return self._source.overrides

    @property
    def path(self) -> Path | None:
        """File from which the protocol was read, if any."""
        return self._source.path

    def fault(self, path: str, message: str) -> Fault:
        """Return a fault at a path such as ``probes.sparse.units``.

        It has the line of the path or of its nearest section, or the override that set the value.
        """
        return self._source.fault(place_of(path) or (), message)

    def resolved(self) -> dict[str, Any]:
        """Return all settings, defaults and overrides included, as plain data that reads back."""
        keys = {key: getattr(self, key) for key in type(self).model_fields}
        return {key: plain(each) for key, each in keys.items() if each is not None}
