"""A probe: a recording design as a protocol or a script writes it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Annotated, Literal

import numpy as np
from annotated_types import Len

from virtuallab.fields import (
    Count,
    Fraction,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    field_values,
    setting,
)
from virtuallab.probes.device import Contacts
from virtuallab.probes.implant import Implant
from virtuallab.probes.noise.calibration import ProbeCalibration
from virtuallab.probes.noise.noise_model import NoiseModel
from virtuallab.probes.preparation import PreparationLike
from virtuallab.probes.readouts.indicator import Indicator
from virtuallab.probes.readouts.spikes import Spikes
from virtuallab.probes.resolved import ResolvedProbe, resolve
from virtuallab.probes.schedule import Series
from virtuallab.probes.unit_selection import UnitSelector
from virtuallab.probes.validation import Problem, device_problems, problems
from virtuallab.vocabulary import Observable


@dataclass(frozen=True, kw_only=True)
class Probe:
    """A recording design.

    Units are drawn once for each subject and are the same at all visits, as with an implanted
    array, unless there is a turnover. How many fall to each layer depends on the sizes of the
    layers alone, so recordings of all subjects of one architecture have the same shape.

    A setting that is None is left open: the device's preset holds, or the default.
    """

    device: str | Contacts | None = setting(
        None,
        doc="Recording device, by name or as contacts. It determines which units are near enough "
        "and presets the settings below.",
    )
    insertions: Count = setting(1, doc="Number of devices, each inserted at another place.")
    units: Count | Literal["all"] | None = setting(
        None,
        doc="Units to record in all layers together, divided over them as `division` says, or all. "
        "If not given, the yield of the device, or all.",
    )
    units_per_layer: Count | None = setting(
        None, doc="Units to record in each layer, instead of `units`."
    )
    selection: Literal["random", "active"] = setting(
        "random",
        doc="Which units of a layer are found: 'random', each with the same probability, or "
        "'active', each in proportion to its mean response (above zero) to the stimuli at the "
        "first recorded visit, since quiet neurons are missed.",
    )
    turnover: Fraction | None = setting(
        None,
        doc="Share of units that are replaced from one visit to the next: 0 is a chronic "
        "recording, 1 an acute one, with new units at each visit. If not given, that of the "
        "device, or 0.",
    )
    daily_loss: Fraction | None = setting(
        None,
        doc="Share of units that are lost within a day, in place of `turnover`: the share lost "
        "between two visits follows from the days between them. If not given, that of the device, "
        "or 0.",
        added=True,
    )
    daily_return: Fraction | None = setting(
        None,
        doc="Share of lost units that are found again within a day, with `daily_loss`. If not "
        "given, that of the device, or 0.",
        added=True,
    )
    visit_interval: PositiveFloat = setting(
        1.0,
        unit="d",
        doc="Days from one preserved visit to the next, for rates by the day.",
        added=True,
    )
    radius: PositiveFloat | Literal["none"] | None = setting(
        None,
        unit="um",
        doc="Pick-up radius, in um: no neuron farther from a contact is recorded. If not given, "
        "that of the device; `none` gives each contact the nearest unit at any distance.",
        added=True,
    )
    drift: NonNegativeFloat | None = setting(
        None,
        unit="um",
        doc="Typical displacement of the device in depth within a day, in um. Displacements of "
        "successive days add up as a random walk. If not given, that of the device, or 0.",
        added=True,
    )
    pool: Count | None = setting(
        None,
        doc="Neighbouring units whose mean is one recorded unit, as in a voxel. If not given, that "
        "of the device, or 1.",
    )
    synapses: Count | Literal["all"] | None = setting(
        None,
        doc="Synapses to measure in all layers together, divided as `division` says, or all. If "
        "not given, as many as the device sets, or all.",
    )
    synapses_per_layer: Count | None = setting(
        None, doc="Synapses to measure in each layer, instead of `synapses`."
    )
    division: Literal["proportional", "even"] = setting(
        "proportional",
        doc="How `units` and `synapses` are divided over layers: in proportion to the size of each "
        "layer, or evenly, where a layer that has fewer gives all.",
    )
    layers: Annotated[tuple[str, ...], Len(1)] | None = setting(
        None, doc="Layers to record from; every layer if not given."
    )
    noise: NoiseModel | None = setting(
        None,
        doc="Measurement noise, on all that is measured; `name` gives the noise model, `gaussian` "
        "by default. If not given, that of the device, or none; `{}` is none. Photon noise "
        "(`calcium.photons`) takes the place of that of the device.",
    )
    spikes: Spikes | None = setting(None, doc="Activity as spike counts over trials.")
    calcium: Indicator | None = setting(
        None,
        doc="Activity as fluorescence of an indicator; `name` gives another than `calcium`. Not "
        "with `spikes`.",
    )
    visits: Count | Annotated[tuple[NonNegativeInt, ...], Len(1)] | Series | Literal["all"] = (
        setting(
            "all",
            doc="Visits to record at: a number, evenly spread with the first and the last, a list "
            "of visits counted from 0, or a series of `count`, `first` and `every`.",
        )
    )
    stimuli: Count | Literal["all"] = setting(
        "all", doc="Probe images to show, drawn once for each subject."
    )
    observables: Annotated[tuple[Observable, ...], Len(1)] | None = setting(
        None,
        doc="What is measured: weights, activity, activity_change. If not given, that of the "
        "device, or all.",
    )
    keep: Literal["recording", "statistics"] = setting(
        "recording",
        doc="Keep the whole recording, or only the statistics made of it (a recording of all units "
        "can be made again from the preserved subjects at any time).",
    )
    statistics: tuple[str, ...] = setting(
        (),
        doc="Further statistics that a decoder reads, by name; see `virtuallab list statistics`.",
        added=True,
    )

    @cached_property
    def resolved(self) -> ResolvedProbe:
        """The complete design: open settings are the device's presets, or the defaults.

        Raises
        ------
        UnknownName
            If there is no such device.
        """
        return resolve(field_values(self))

    def check(
        self,
        layers: Mapping[str, int],
        synapses: Mapping[str, int],
        n_visits: int,
        n_stimuli: int,
    ) -> list[Problem]:
        """Find everything that this design cannot record of a subject.

        Settings of what is not measured are not checked: a probe of weights alone needs no stimuli.

        Parameters
        ----------
        layers, synapses : mapping from layer to int
            Number of units and of synapses of each layer, from input to output.
        n_visits, n_stimuli : int
            Preserved visits, probe images of the task.

        Returns
        -------
        list of (field, message)
            Empty if the design is possible. The field is a path, ``noise.snr`` or ``visits[2]``.
        """
        unusable = list(device_problems(self.device))
        return unusable or problems(self.resolved, layers, synapses, n_visits, n_stimuli)

    def implant(self, preparation: PreparationLike, generator: np.random.Generator) -> Implant:
        """Choose units, synapses and stimuli in one subject.

        Parameters
        ----------
        preparation : PreparationLike
            A subject for which :meth:`check` finds no problem.
        generator : numpy.random.Generator
            Of this probe in this subject.

        Returns
        -------
        Implant
        """
        selector = UnitSelector(self.resolved, preparation, generator)
        return Implant(self.resolved, selector.select())

    def calibrate(
        self,
        reference: PreparationLike,
        generator: np.random.Generator,
        others: Callable[[], Iterable[PreparationLike]] = tuple,
    ) -> ProbeCalibration:
        """Measure the signal in reference networks, to which noise and firing rates are relative.

        Parameters
        ----------
        reference : PreparationLike
            Untrained networks in the place of visits, shown all stimuli.
        generator : numpy.random.Generator
            Chooses which units are averaged or summed there.
        others : callable, optional
            Prepares further networks one after the other, whenever it is called, where networks are
            too large to be prepared together. The reference is then one network too.

        Returns
        -------
        ProbeCalibration
        """
        design = replace(self.resolved, visits="all", stimuli="all").still()
        selector = UnitSelector(design, reference, generator)
        return Implant(design, selector.select()).calibrate(reference, others)
