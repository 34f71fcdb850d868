"""A probe: who, when, shown what, with what noise. A recording design."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Annotated, Literal

import numpy as np
from annotated_types import Len

from virtuallab.fields import Count, Fraction, NonNegativeInt, setting
from virtuallab.probe.device import Contacts, device_of, unknown_device
from virtuallab.probe.fault import Complaint
from virtuallab.probe.implant import Implant
from virtuallab.probe.noise.calcium import Calcium
from virtuallab.probe.noise.gaussian import Noise
from virtuallab.probe.noise.spikes import Spikes
from virtuallab.probe.preparation import Tissue
from virtuallab.probe.sampling import drawn
from virtuallab.probe.schedule import Series, visits_of
from virtuallab.probe.unit_selection import Finder, recorded, synapses_of, units_of
from virtuallab.probe.validation import complaints
from virtuallab.vocabulary import ACTIVITY, ACTIVITY_CHANGE, OBSERVABLES, WEIGHTS

Observable = Literal["weights", "activity", "activity_change"]
_PLAIN = {"turnover": 0.0, "pool": 1, "noise": Noise(), "observables": OBSERVABLES}


@dataclass(frozen=True, kw_only=True)
class Probe:
    """A recording design.

    Units are drawn once for each subject and are the same at all visits, as with an implanted
    array, unless there is a turnover. How many fall to each layer depends on the sizes of the
    layers alone, so recordings of all subjects of one make fit together.
    """

    device: str | Contacts | None = setting(
        None,
        doc="What records, by name, or its contacts. It says which units are near enough, and is "
        "the default of the settings below.",
    )
    insertions: Count = setting(1, doc="How many of the device, each at a place of its own.")
    units: Count | Literal["all"] = setting(
        "all", doc="Units to record in all layers together, divided over them as `division` says."
    )
    units_per_layer: Count | None = setting(
        None, doc="Units to record in each layer, in the place of `units`."
    )
    selection: Literal["random", "active"] = setting(
        "random",
        doc="Which units of a layer are found: any alike, or each in proportion to its mean "
        "response (above zero) to the stimuli at the first visit recorded, for quiet neurons are "
        "missed.",
    )
    turnover: Fraction | None = setting(
        None,
        doc="Share of units lost between a visit and the next, others found in their place: 0 is a "
        "chronic recording, 1 an acute one, with new units at each visit. If not given, that of "
        "the device, or 0.",
    )
    pool: Count | None = setting(
        None,
        doc="Neighbouring units whose mean is one recorded unit, as in a voxel. If not given, that "
        "of the device, or 1.",
    )
    synapses: Count | Literal["all"] = setting(
        "all", doc="Synapses to measure in all layers together, divided as `division` says."
    )
    synapses_per_layer: Count | None = setting(
        None, doc="Synapses to measure in each layer, in the place of `synapses`."
    )
    division: Literal["proportional", "even"] = setting(
        "proportional",
        doc="How `units` and `synapses` are divided over layers: in proportion to what is there, "
        "or evenly, where a layer that has fewer gives all.",
    )
    layers: Annotated[tuple[str, ...], Len(1)] | None = setting(
        None, doc="Layers to record from; every layer if not given."
    )
    noise: Noise | None = setting(
        None,
        doc="Measurement noise, on all that is measured. If not given, that of the device, or "
        "none; `{}` is none.",
    )
    spikes: Spikes | None = setting(None, doc="Activity as spike counts over trials.")
    calcium: Calcium | None = setting(
        None, doc="Activity as fluorescence of a calcium indicator; not with `spikes`."
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

    @cached_property
    def in_effect(self) -> InEffect:
        """The design as it is carried out: what it leaves open is its device's, or plain.

        Raises
        ------
        UnknownName
            If there is no such device.
        """
        device = device_of(self.device)
        presets = {} if device is None else dict(device.settings)
        if self.spikes is not None or self.calcium is not None:
            presets = {k: v for k, v in presets.items() if k not in ("spikes", "calcium")}
        if self.synapses != "all" or self.synapses_per_layer is not None:
            presets = {k: v for k, v in presets.items() if not k.startswith("synapses")}
        written = {field.name: getattr(self, field.name) for field in fields(self)}
        defaults = {field.name: field.default for field in fields(self)}
        for name, preset in {**_PLAIN, **presets}.items():
            if written[name] == defaults[name]:
                written[name] = preset
        return InEffect(**written)

    def check(
        self,
        layers: Mapping[str, int],
        synapses: Mapping[str, int],
        n_visits: int,
        n_stimuli: int,
    ) -> list[Complaint]:
        """Say everything of this design that cannot be had.

        What is not measured is not asked for: a probe of weights alone needs no stimuli.

        Parameters
        ----------
        layers, synapses : mapping from layer to int
            How many units and how many synapses each layer has, from input to output.
        n_visits, n_stimuli : int
            Visits preserved, probe images of the task.

        Returns
        -------
        list of (field, message)
            Empty if the design is possible. The field is a path, ``noise.snr`` or ``visits[2]``.
        """
        unknown = list(unknown_device(self.device))
        return unknown or complaints(self.in_effect, layers, synapses, n_visits, n_stimuli)

    def quantity(self, observable: Observable) -> dict[str, str]:
        """Units and long name of what is measured, where the readout decides them.

        Parameters
        ----------
        observable : str

        Returns
        -------
        dict
            ``units`` and ``long_name``: a rate in spikes/s where spikes are counted, dF/F of a
            calcium indicator. Empty where values are those of the network.
        """
        design = self.in_effect
        if observable == ACTIVITY and design.spikes is not None:
            return {"units": "spikes/s", "long_name": "firing rate"}
        if observable == ACTIVITY and design.calcium is not None:
            return {"units": "dF/F", "long_name": "relative change of fluorescence"}
        return {}

    @property
    def is_noisy(self) -> bool:
        """Whether what is recorded has noise of its own: of the instrument, or of spike counts."""
        design = self.in_effect
        counts = design.spikes is not None and ACTIVITY in design.observables
        return design.noise.is_there or counts

    @property
    def sees_responses(self) -> bool:
        """Whether stimuli have to be shown."""
        seen = self.in_effect.observables
        return ACTIVITY in seen or ACTIVITY_CHANGE in seen

    def values(
        self, layers: Mapping[str, int], synapses: Mapping[str, int], n_visits: int, n_stimuli: int
    ) -> int:
        """Count the numbers in one subject's recording; parameters as for :meth:`check`."""
        design = self.in_effect
        there = self.amounts(layers, synapses, n_visits, n_stimuli)
        each = {
            ACTIVITY: there["stimuli"] * there["units"],
            WEIGHTS: there["synapses"],
            ACTIVITY_CHANGE: there["stimuli"] * len(recorded(design, layers)),
        }
        return there["visits"] * sum(each[name] for name in design.observables)

    def amounts(
        self, layers: Mapping[str, int], synapses: Mapping[str, int], n_visits: int, n_stimuli: int
    ) -> dict[str, int]:
        """Count what is recorded of one subject: units, synapses, visits and stimuli.

        Parameters as for :meth:`check`; what is not measured counts 0.
        """
        design = self.in_effect
        sees, measures = self.sees_responses, WEIGHTS in design.observables
        stimuli = n_stimuli if design.stimuli == "all" else int(design.stimuli)
        return {
            "units": sum(units_of(design, layers).values()) if sees else 0,
            "synapses": sum(synapses_of(design, synapses).values()) if measures else 0,
            "visits": len(visits_of(design.visits, n_visits)),
            "stimuli": stimuli if sees else 0,
        }

    def implant(self, tissue: Tissue, choice: np.random.Generator) -> Implant:
        """Choose units, synapses and stimuli in one subject.

        Each layer draws from a stream of its own, and so do the stimuli: showing fewer images, or
        recording from fewer layers, does not move the electrodes in the others. Only a selection of
        active units looks at what is shown.

        Parameters
        ----------
        tissue : Tissue
            For which :meth:`check` has nothing to complain of.
        choice : numpy.random.Generator
            The stream of this probe in this subject.
        """
        return self.in_effect.implanted(tissue, choice)


@dataclass(frozen=True, kw_only=True)
class InEffect(Probe):
    """A design that leaves nothing open."""

    turnover: float
    pool: int
    noise: Noise
    observables: tuple[Observable, ...]

    def implanted(self, tissue: Tissue, choice: np.random.Generator) -> Implant:
        """Choose as :meth:`implant` does."""
        of_stimuli, of_units, of_synapses, of_inputs, of_insertion, of_turnover = choice.spawn(6)
        layers = tissue.layers
        synapse_streams = dict(zip(layers, of_synapses.spawn(len(layers)), strict=True))
        input_streams = dict(zip(layers, of_inputs.spawn(len(layers)), strict=True))
        sizes: dict[str, int] = {}
        synapses: dict[str, int] = {}
        n_stimuli = 0
        if self.sees_responses:
            n_visits, n_stimuli, _ = tissue.responses[layers[0]].shape
            sizes = {layer: tissue.responses[layer].shape[-1] for layer in layers}
        if WEIGHTS in self.observables:
            n_visits = len(tissue.weights[layers[0]])
            synapses = {layer: tissue.weights[layer].shape[-1] for layer in layers}
        visits = visits_of(self.visits, n_visits)
        stimuli = drawn(
            n_stimuli, n_stimuli if self.stimuli == "all" else int(self.stimuli), of_stimuli
        )
        finder = Finder(self, tissue, visits, stimuli, of_units, of_insertion, of_turnover)
        units = finder.channels(sizes) if sizes else {}
        inputs = units if ACTIVITY_CHANGE in self.observables else {}
        return Implant(
            probe=self,
            layers=tuple(recorded(self, dict.fromkeys(layers, 0))),
            visits=visits,
            stimuli=stimuli,
            units=units,
            synapses={
                n: drawn(synapses[n], count, synapse_streams[n])
                for n, count in synapses_of(self, synapses).items()
            },
            # The presynaptic side of the activity change: as large a part of it as of the units.
            inputs={
                n: drawn(
                    tissue.inputs[n],
                    -(-tissue.inputs[n] * channels.count // sizes[n]),
                    input_streams[n],
                )
                for n, channels in inputs.items()
            },
        )
