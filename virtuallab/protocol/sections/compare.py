"""Which recording designs are compared, and how."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from annotated_types import Ge, Gt, Le, Len, Lt
from pydantic import AfterValidator, Field, model_validator

from virtuallab.errors import UnknownName
from virtuallab.protocol.messages.explain import Place, refusal
from virtuallab.protocol.sections.design import MOST, Varied, VariedReader
from virtuallab.protocol.sections.rule_entry import Name
from virtuallab.protocol.settings.section import Either, ListOf, Section
from virtuallab.registry import CLASSIFIERS

Observable = Literal["activity", "weights", "activity_change", "all"]
Design = Annotated[Any, VariedReader()]
Observables = Either((Annotated[tuple[Observable, ...], Len(1)], type(None)))
Confidence = Annotated[float, Gt(0), Lt(1)]


def _known(name: str) -> str:
    try:
        CLASSIFIERS[name]
    except UnknownName as error:
        raise refusal([((), str(error))], name) from None
    return name


ClassifierName = Annotated[str, AfterValidator(_known)]


class Compare(Section):
    """Which recording designs are compared, in the same subjects."""

    designs: Annotated[dict[Name, Design], Len(1)] = Field(
        description="Recording designs by name; a setting that is a list, or a grid, is tried with "
        "each of its values."
    )
    seeds: Annotated[int, Ge(1), Le(1_000)] = Field(
        3,
        description="Times that each design is implanted anew and decoded with other folds.",
    )
    observables: Annotated[tuple[Observable, ...] | None, Observables] = Field(
        None, description="What the decoder reads; each that a design measures, if not given."
    )
    classifiers: Annotated[tuple[str, ...], ListOf(ClassifierName, 1)] = Field(
        ("kernel_svm",), description="Classifiers, by name."
    )
    folds: Annotated[int, Ge(2)] = Field(
        5, description="Groups of subjects, each tested once by a decoder trained on the others."
    )
    inner_folds: Annotated[int, Ge(2)] = Field(
        3, description="Groups of training subjects by which a classifier's settings are chosen."
    )
    controls: bool = Field(
        True, description="Ask visit 0 alone, and shuffled labels, of every design's first seed."
    )
    confidence: Confidence = Field(0.95, description="Of every interval.")

    @model_validator(mode="after")
    def _closed(self) -> Compare:
        faults = [
            fault
            for name, design in self.designs.items()
            for fault in _open(("designs", name), design)
        ]
        count = sum(design.size for design in self.designs.values())
        if count > MOST:
            words = f"these are {count:,} designs together; at most {MOST:,} are possible."
            faults.append((("designs",), words))
        if faults:
            raise refusal(faults, None)
        return self

    def written(self) -> dict[str, Any]:
        """Return it as a protocol writes it."""
        rest = {k: getattr(self, k) for k in type(self).model_fields if k != "designs"}
        return {"designs": {k: v.written() for k, v in self.designs.items()}, **rest}


def _open(place: Place, design: Varied) -> Iterator[tuple[Place, str]]:
    for path in design.space:
        words = "is open, and every design that is compared is tried. Give a list of values."
        yield (*place, *path.split(".")), words
