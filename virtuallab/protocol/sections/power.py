"""The section ``power``: the accuracy to reach, the design to search, and its prices."""

from __future__ import annotations

from typing import Annotated

from annotated_types import Ge, Gt, Le, Lt
from pydantic import Field, model_validator

from virtuallab.fields import NonNegativeFloat
from virtuallab.protocol.messages.explain import raise_faults
from virtuallab.protocol.messages.places import Place
from virtuallab.protocol.sections.compare import ClassifierName, Confidence, Observable
from virtuallab.protocol.sections.design import Design
from virtuallab.protocol.settings.distributions import Interval
from virtuallab.protocol.settings.section import Section

# setting -> the price it is paid by, and whether more of it tells more (1) or less (-1)
SETTINGS: dict[str, tuple[str | None, int]] = {
    "units": ("unit", 1),
    "units_per_layer": ("unit", 1),
    "synapses": ("synapse", 1),
    "synapses_per_layer": ("synapse", 1),
    "visits": ("visit", 1),
    "stimuli": ("stimulus", 1),
    "insertions": ("insertion", 1),
    "spikes.trials": ("trial", 1),
    "noise.snr": ("snr", 1),
    "noise.unit_snr": ("snr", 1),
    "noise.sigma": (None, -1),
    "turnover": (None, -1),
    "spikes.missed": (None, -1),
    "spikes.contamination": (None, -1),
}


class Prices(Section):
    """What a design costs, in a currency of your own; the sum is its cost."""

    unit: NonNegativeFloat = Field(1.0, description="Of each unit recorded.")
    synapse: NonNegativeFloat = Field(1.0, description="Of each synapse measured.")
    visit: NonNegativeFloat = Field(0.0, description="Of each visit.")
    stimulus: NonNegativeFloat = Field(0.0, description="Of each stimulus shown.")
    insertion: NonNegativeFloat = Field(0.0, description="Of each insertion of a device.")
    trial: NonNegativeFloat = Field(0.0, description="Of each presentation of a stimulus.")
    snr: NonNegativeFloat = Field(0.0, description="Of a signal-to-noise ratio of 1.")


class Power(Section):
    """The least that has to be recorded to identify the rule."""

    design: Design = Field(
        description="A recording design with open settings: numbers between two bounds, as in "
        "units: {log_uniform: [10, 500]}."
    )
    prices: Prices = Field(Prices.model_validate({}), description="What a design costs.")
    target: Annotated[float, Gt(0), Lt(1)] = Field(
        0.9, description="Balanced accuracy that is to be reached."
    )
    confidence: Confidence = Field(0.95, description="With which it is to be reached.")
    trials: Annotated[int, Ge(4), Le(100_000)] = Field(40, description="Designs that are tried.")
    generation: Annotated[int, Ge(1), Le(10_000)] = Field(
        8, description="Designs that are proposed at once, from all that is known by then."
    )
    seeds: Annotated[int, Ge(1), Le(1_000)] = Field(
        2, description="Times that each design is implanted anew and decoded with other folds."
    )
    observable: Observable | None = Field(
        None, description="What the decoder reads; the first that the design measures if not given."
    )
    classifier: ClassifierName = Field("kernel_svm", description="Classifier, by name.")
    folds: Annotated[int, Ge(2)] = Field(5, description="Groups of subjects, each tested once.")
    inner_folds: Annotated[int, Ge(2)] = Field(
        3, description="Groups of training subjects by which a classifier's settings are chosen."
    )

    @model_validator(mode="after")
    def _searchable(self) -> Power:
        faults: list[tuple[Place, str]] = []
        for path in self.design.settings.grid:
            words = "is a list; what is searched lies between bounds, as in {uniform: [2, 9]}."
            faults.append((("design", *path.split(".")), words))
        for path, space in self.design.settings.space.items():
            place = ("design", *path.split("."))
            if path not in SETTINGS:
                faults.append((place, f"cannot be open. Known: {', '.join(SETTINGS)}."))
            elif not isinstance(space, Interval):
                faults.append((place, "should be open between bounds: uniform or log_uniform."))
        if not faults and not self.design.settings.space:
            words = "nothing is open. Leave a setting open, as in units: {log_uniform: [10, 500]}."
            faults.append((("design",), words))
        raise_faults(faults)
        return self
