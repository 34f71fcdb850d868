"""The section ``power``: the accuracy to reach, the designs to search, and their prices."""

from __future__ import annotations

from typing import Annotated

from annotated_types import Ge, Gt, Le, Lt
from pydantic import Field, model_validator

from virtuallab.decoder.analysis import Observable
from virtuallab.fields import NonNegativeFloat
from virtuallab.protocol.messages.explain import raise_faults
from virtuallab.protocol.messages.places import Place
from virtuallab.protocol.sections.compare import ClassifierName, Confidence
from virtuallab.protocol.sections.design import Design
from virtuallab.protocol.settings.distributions import Interval
from virtuallab.protocol.settings.section import Section

# setting -> its price, and whether larger values make recordings more (1) or less (-1) informative
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
    "daily_loss": (None, -1),
    "spikes.missed": (None, -1),
    "spikes.contamination": (None, -1),
}


class Prices(Section):
    """Prices of the parts of a recording, in any currency; the cost of a design is their sum."""

    unit: NonNegativeFloat = Field(1.0, description="Price of each recorded unit.")
    synapse: NonNegativeFloat = Field(1.0, description="Price of each measured synapse.")
    visit: NonNegativeFloat = Field(0.0, description="Price of each visit.")
    stimulus: NonNegativeFloat = Field(0.0, description="Price of each stimulus.")
    insertion: NonNegativeFloat = Field(0.0, description="Price of each insertion of a device.")
    trial: NonNegativeFloat = Field(0.0, description="Price of each presentation of a stimulus.")
    snr: NonNegativeFloat = Field(0.0, description="Price of a signal-to-noise ratio of 1.")


class Power(Section):
    """Search for the cheapest recording design that reaches an accuracy."""

    design: Design = Field(
        description="A recording design with open settings: numbers between two bounds, as in "
        "units: {log_uniform: [10, 500]}."
    )
    prices: Prices = Field(
        Prices.model_validate({}), description="Prices from which the cost of a design is computed."
    )
    target: Annotated[float, Gt(0), Lt(1)] = Field(0.9, description="Balanced accuracy to reach.")
    confidence: Confidence = Field(
        0.95,
        description="Confidence of intervals; a design is chosen if it reaches the target in this "
        "share of fits to bootstrap samples of the subjects.",
    )
    trials: Annotated[int, Ge(4), Le(100_000)] = Field(
        40, description="Designs that are evaluated."
    )
    generation: Annotated[int, Ge(1), Le(10_000)] = Field(
        8, description="Designs that are proposed at once, from all results so far."
    )
    seeds: Annotated[int, Ge(1), Le(1_000)] = Field(
        2, description="Implantations of each design, each decoded with other folds."
    )
    observable: Observable | None = Field(
        None,
        description="Observable for the decoder; the first that the design measures if not given.",
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
            words = "is a list; a searched setting has bounds, as in {uniform: [2, 9]}."
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
