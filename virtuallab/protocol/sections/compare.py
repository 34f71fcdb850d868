"""The section ``compare``: which recording designs are compared, and how."""

from __future__ import annotations

from typing import Annotated

from annotated_types import Ge, Gt, Le, Len, Lt
from pydantic import AfterValidator, Field, model_validator

from virtuallab.decoder.analysis import Observable
from virtuallab.errors import UnknownName
from virtuallab.protocol.messages.explain import raise_faults, refusal
from virtuallab.protocol.messages.places import Place
from virtuallab.protocol.sections.design import Design
from virtuallab.protocol.settings.plugin_spec import MOST_POINTS
from virtuallab.protocol.settings.readers import ListReader, UnionReader
from virtuallab.protocol.settings.section import Name, Section
from virtuallab.registry import CLASSIFIERS

Observables = UnionReader((Annotated[tuple[Observable, ...], Len(1)], type(None)))
Confidence = Annotated[float, Gt(0), Lt(1)]


def _known(name: str) -> str:
    try:
        CLASSIFIERS[name]
    except UnknownName as error:
        raise refusal(str(error)) from None
    return name


ClassifierName = Annotated[str, AfterValidator(_known)]


class Compare(Section):
    """Recording designs that are compared in the same subjects."""

    designs: Annotated[dict[Name, Design], Len(1)] = Field(
        description="Recording designs by name; a setting that is a list or a grid makes a design "
        "of each of its values."
    )
    seeds: Annotated[int, Ge(1), Le(1_000)] = Field(
        3, description="Implantations of each design, each decoded with other folds."
    )
    observables: Annotated[tuple[Observable, ...] | None, Observables] = Field(
        None, description="Observables for the decoder; all that a design measures if not given."
    )
    classifiers: Annotated[tuple[str, ...], ListReader(ClassifierName, 1)] = Field(
        ("kernel_svm",), description="Classifiers, by name."
    )
    folds: Annotated[int, Ge(2)] = Field(
        5, description="Groups of subjects; each is tested by a decoder trained on the others."
    )
    inner_folds: Annotated[int, Ge(2)] = Field(
        3, description="Groups of training subjects by which a classifier's settings are chosen."
    )
    controls: bool = Field(
        True, description="Evaluate the controls of every design, for its first implantation."
    )
    confidence: Confidence = Field(0.95, description="Confidence of every interval.")

    @model_validator(mode="after")
    def _closed(self) -> Compare:
        words = "is open, and a comparison needs fixed values. Give a list of values."
        faults: list[tuple[Place, str]] = [
            (("designs", name, *path.split(".")), words)
            for name, design in self.designs.items()
            for path in design.settings.space
        ]
        count = sum(design.settings.size for design in self.designs.values())
        if count > MOST_POINTS:
            words = f"these are {count:,} designs together; at most {MOST_POINTS:,} are possible."
            faults.append((("designs",), words))
        raise_faults(faults)
        return self
