"""A complete recording design: the protocol's settings, the device's presets and the defaults."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

import jaxtyping as jt
import numpy as np

from virtuallab.probes.device import Contacts, Device, find_device
from virtuallab.probes.insertion import units_per_device
from virtuallab.probes.noise.models.gaussian import GaussianNoise
from virtuallab.probes.noise.noise_model import NoiseModel
from virtuallab.probes.readouts.indicator import Indicator
from virtuallab.probes.readouts.spikes import Spikes
from virtuallab.probes.sampling import even_shares, proportional_shares
from virtuallab.probes.schedule import Visits, count_visits, visit_indices
from virtuallab.vocabulary import (
    ACTIVITY,
    ACTIVITY_CHANGE,
    OBSERVABLES,
    THEORY,
    WEIGHTS,
    Observable,
)

# Of each pair a setting that is written takes the place of what the device presets of both.
_PAIRS: Final = (
    ("units", "units_per_layer"),
    ("synapses", "synapses_per_layer"),
    ("spikes", "calcium"),
    ("turnover", "daily_loss"),
)
_LOSING: Final = ("turnover", "daily_loss", "drift")
_DEFAULTS: Final[Mapping[str, Any]] = {
    "units": "all",
    "synapses": "all",
    "turnover": 0.0,
    "daily_loss": 0.0,
    "daily_return": 0.0,
    "drift": 0.0,
    "pool": 1,
    "noise": GaussianNoise(),
    "observables": OBSERVABLES,
}

Sizes = Mapping[str, int]  # layer -> number of its units or synapses, from input to output


@dataclass(frozen=True, kw_only=True)
class ResolvedProbe:
    """A recording design in which every setting has a value; fields as in :class:`Probe`."""

    device: str | Contacts | None
    insertions: int
    units: int | Literal["all"]
    units_per_layer: int | None
    selection: Literal["random", "active"]
    turnover: float
    daily_loss: float
    daily_return: float
    visit_interval: float
    radius: float | Literal["none"] | None
    drift: float
    pool: int
    synapses: int | Literal["all"]
    synapses_per_layer: int | None
    division: Literal["proportional", "even"]
    layers: tuple[str, ...] | None
    noise: NoiseModel
    spikes: Spikes | None
    calcium: Indicator | None
    visits: Visits
    stimuli: int | Literal["all"]
    observables: tuple[Observable, ...]
    keep: Literal["recording", "statistics"]
    statistics: tuple[str, ...]

    def readable(self, n_visits: int) -> tuple[str, ...]:
        """Observables that a decoder can read: those measured, and theory if it is defined.

        Theory follows synapses or units from visit to visit, so it needs two visits.

        Parameters
        ----------
        n_visits : int
            Preserved visits.
        """
        units = ACTIVITY in self.observables and self.turnover < 1
        followed = units or WEIGHTS in self.observables
        several = count_visits(self.visits, n_visits) > 1
        return (*self.observables, *([THEORY] if followed and several else []))

    @property
    def inserted_device(self) -> Device | None:
        """The device, if it has contacts; otherwise None."""
        device = find_device(self.device)
        return device if device is not None and device.units else None

    @property
    def pickup_radius(self) -> float | None:
        """Pick-up radius in um; None without contacts, or if it is switched off."""
        device = self.inserted_device
        if device is None or self.radius == "none":
            return None
        return device.radius if self.radius is None else self.radius

    @property
    def is_acute(self) -> bool:
        """True if the device is removed after each visit and inserted again at another place."""
        return self.turnover == 1

    @property
    def losing(self) -> str:
        """Name of the first setting by which units are lost between visits; empty without one."""
        return next((name for name in _LOSING if getattr(self, name)), "")

    def still(self) -> ResolvedProbe:
        """The same design with the same units at all visits."""
        return replace(self, turnover=0.0, daily_loss=0.0, daily_return=0.0, drift=0.0)

    @property
    def is_noisy(self) -> bool:
        """True if the recording has noise: of the instrument, of spike counts or of photons."""
        counted = self.spikes is not None or (
            self.calcium is not None and self.calcium.photons is not None
        )
        return self.noise.is_present or (counted and ACTIVITY in self.observables)

    @property
    def uses_typical_responses(self) -> bool:
        """True if activity is relative to the typical response of each layer."""
        scaled = self.spikes is not None or (
            self.calcium is not None and self.calcium.amplitude is not None
        )
        return scaled and ACTIVITY in self.observables

    @property
    def orders_stimuli(self) -> bool:
        """True if each visit presents the stimuli in an order of its own."""
        ordered = self.calcium is not None and self.calcium.order == "random"
        return ordered and ACTIVITY in self.observables

    @property
    def measures_responses(self) -> bool:
        """True if it measures activity or activity change, so that stimuli have to be shown."""
        return ACTIVITY in self.observables or ACTIVITY_CHANGE in self.observables

    def visit_indices(self, n_visits: int) -> jt.Int[np.ndarray, " visit"]:
        """Indices of the recorded visits among the preserved ones."""
        return visit_indices(self.visits, n_visits)

    def in_recorded_layers(self, sizes: Sizes) -> dict[str, int]:
        """Sizes of the recorded layers."""
        return {n: size for n, size in sizes.items() if self.layers is None or n in self.layers}

    def available_units(self, sizes: Sizes) -> dict[str, int]:
        """Number of channels that each recorded layer could have, after device and pooling."""
        device = self.inserted_device
        there = self._found_units(sizes, 0 if device is None else device.most_units)
        return {n: size // self.pool for n, size in there.items()}

    def isolated_units(self, sizes: Sizes) -> dict[str, int]:
        """Number of units in each recorded layer that the device isolates; its yield."""
        device = self.inserted_device
        return self._found_units(sizes, 0 if device is None else device.units)

    def _found_units(self, sizes: Sizes, each: int) -> dict[str, int]:
        """Units of the recorded layers, or those found if each device records so many."""
        there, device = self.in_recorded_layers(sizes), self.inserted_device
        if device is None or not there:
            return there
        found = units_per_device(device, each, there, list(sizes))
        return {n: min(size, self.insertions * found[n]) for n, size in there.items()}

    def unit_counts(self, sizes: Sizes) -> dict[str, int]:
        """Number of channels in each recorded layer, of layers with so many units."""
        if self.inserted_device and self.units == "all" and self.units_per_layer is None:
            return self.isolated_units(sizes)
        return self._divide(self.units, self.units_per_layer, self.available_units(sizes))

    def synapse_counts(self, sizes: Sizes) -> dict[str, int]:
        """Number of measured synapses in each recorded layer, of layers with so many synapses."""
        return self._divide(self.synapses, self.synapses_per_layer, self.in_recorded_layers(sizes))

    def _divide(self, total: int | str, each: int | None, there: Sizes) -> dict[str, int]:
        if each is not None:
            return dict.fromkeys(there, each)
        if not isinstance(total, int) or not there:
            return dict(there)
        divide = even_shares if self.division == "even" else proportional_shares
        return divide(there, total)

    def amounts(
        self, layers: Sizes, synapses: Sizes, n_visits: int, n_stimuli: int
    ) -> dict[str, int]:
        """Number of units, synapses, visits and stimuli recorded of one subject.

        Parameters
        ----------
        layers, synapses : mapping from layer to int
            Number of units and of synapses of each layer, from input to output.
        n_visits, n_stimuli : int
            Preserved visits, probe images of the task.

        Returns
        -------
        dict
            ``units``, ``synapses``, ``visits`` and ``stimuli``; 0 where not measured.
        """
        responds, weighs = self.measures_responses, WEIGHTS in self.observables
        stimuli = n_stimuli if self.stimuli == "all" else self.stimuli
        return {
            "units": sum(self.unit_counts(layers).values()) if responds else 0,
            "synapses": sum(self.synapse_counts(synapses).values()) if weighs else 0,
            "visits": len(self.visit_indices(n_visits)),
            "stimuli": stimuli if responds else 0,
        }

    def n_values(self, layers: Sizes, synapses: Sizes, n_visits: int, n_stimuli: int) -> int:
        """Number of values in one subject's recording; parameters as for :meth:`amounts`."""
        amounts = self.amounts(layers, synapses, n_visits, n_stimuli)
        each = {
            ACTIVITY: amounts["stimuli"] * amounts["units"],
            WEIGHTS: amounts["synapses"],
            ACTIVITY_CHANGE: amounts["stimuli"] * len(self.in_recorded_layers(layers)),
        }
        return amounts["visits"] * sum(each[name] for name in self.observables)


def resolve(written: Mapping[str, Any]) -> ResolvedProbe:
    """Complete a design: what is written wins, then the device's presets, then the defaults.

    Parameters
    ----------
    written : mapping from field to value
        Every field of a probe; None where it is left open.

    Raises
    ------
    UnknownName
        If there is no such device.
    """
    device = find_device(written["device"])
    presets = {} if device is None else device.presets.given()
    for one, other in _PAIRS:
        if written[one] is not None or written[other] is not None:
            # A loss that is written does not inherit the rate of return of another.
            if "turnover" in (one, other):
                presets.pop("daily_return", None)
            presets = {n: value for n, value in presets.items() if n not in (one, other)}
    calcium = written["calcium"]
    if calcium is not None and calcium.photons is not None:
        presets.pop("noise", None)  # it stands for photon noise
    if written["radius"] == "none":  # drift is measured against the radius
        presets.pop("drift", None)
    given = {name: value for name, value in written.items() if value is not None}
    complete: dict[str, Any] = {**dict.fromkeys(written), **_DEFAULTS, **presets, **given}
    return ResolvedProbe(**complete)
