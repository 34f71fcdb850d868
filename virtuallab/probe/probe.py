"""A probe: who, when, shown what, with what noise. A recording design."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
from annotated_types import Len

from virtuallab.fields import Count, NonNegativeInt, setting
from virtuallab.probe.calcium import Calcium
from virtuallab.probe.fault import Complaint, among, positive, shortage
from virtuallab.probe.implant import Implant
from virtuallab.probe.noise import Noise
from virtuallab.probe.sampling import Indices, drawn, drawn_by_weight, shares
from virtuallab.probe.schedule import Series, impossible_visits, visits_of
from virtuallab.probe.spikes import Spikes
from virtuallab.probe.tissue import Tissue
from virtuallab.vocabulary import ACTIVITY, ACTIVITY_CHANGE, OBSERVABLES, WEIGHTS

Observable = Literal["weights", "activity", "activity_change"]
_NO_NOISE = Noise()


@dataclass(frozen=True, kw_only=True)
class Probe:
    """A recording design.

    Units are drawn once for each subject and are the same at all visits, as with an implanted
    array. How many fall to each layer depends on the sizes of the layers alone, so recordings of
    all subjects of one make fit together.
    """

    units: Count | Literal["all"] = setting(
        "all", doc="Units to record, drawn over all layers in proportion to their size."
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
    synapses: Count | Literal["all"] = setting(
        "all", doc="Synapses to measure, drawn over all layers in proportion to their number."
    )
    synapses_per_layer: Count | None = setting(
        None, doc="Synapses to measure in each layer, in the place of `synapses`."
    )
    layers: Annotated[tuple[str, ...], Len(1)] | None = setting(
        None, doc="Layers to record from; every layer if not given."
    )
    noise: Noise = setting(_NO_NOISE, doc="Measurement noise, on all that is measured.")
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
    observables: Annotated[tuple[Observable, ...], Len(1)] = setting(
        OBSERVABLES, doc="What is measured: weights, activity, activity_change."
    )
    keep: Literal["recording", "statistics"] = setting(
        "recording",
        doc="Keep the whole recording, or only the statistics made of it (a recording of all units "
        "can be made again from the preserved subjects at any time).",
    )

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
            How many units and how many synapses each layer has.
        n_visits, n_stimuli : int
            Visits preserved, probe images of the task.

        Returns
        -------
        list of (field, message)
            Empty if the design is possible. The field is a path, ``noise.snr`` or ``visits[2]``.
        """
        return [
            *among("observables", "observable", self.observables, OBSERVABLES),
            *(among("layers", "layer", self.layers, layers) if self.layers is not None else ()),
            *self._shortages(layers, synapses),
            *self.noise.check(),
            *self._impossible_readout(),
            *impossible_visits(self.visits, n_visits),
            *self._impossible_stimuli(n_stimuli),
        ]

    def _shortages(
        self, units: Mapping[str, int], synapses: Mapping[str, int]
    ) -> Iterator[Complaint]:
        units, synapses = self._among(units), self._among(synapses)
        if self.sees_responses and units:
            yield from shortage("units", self.units, self.units_per_layer, units)
        if WEIGHTS in self.observables and synapses:
            yield from shortage("synapses", self.synapses, self.synapses_per_layer, synapses)

    def _impossible_readout(self) -> Iterator[Complaint]:
        if self.spikes is not None and self.calcium is not None:
            yield "calcium", "found spikes too. A probe counts spikes or sees fluorescence."
        for name in ("spikes", "calcium"):
            if getattr(self, name) is not None and ACTIVITY not in self.observables:
                yield name, f"is of activity, which this probe does not measure ({ACTIVITY!r})."

    def _impossible_stimuli(self, n_stimuli: int) -> Iterator[Complaint]:
        if not self.sees_responses:
            return
        yield from positive("stimuli", self.stimuli)
        if n_stimuli < 1:
            yield "stimuli", "the task shows no stimuli to probes. Raise its probe_images."
        elif isinstance(self.stimuli, int) and self.stimuli > n_stimuli:
            yield (
                "stimuli",
                f"{self.stimuli} stimuli asked of a task that has {n_stimuli}. Lower it, raise the "
                "task's probe_images, or use 'stimuli: all'.",
            )

    @property
    def sees_responses(self) -> bool:
        """Whether stimuli have to be shown."""
        return ACTIVITY in self.observables or ACTIVITY_CHANGE in self.observables

    def values(
        self, layers: Mapping[str, int], synapses: Mapping[str, int], n_visits: int, n_stimuli: int
    ) -> int:
        """Count the numbers in one subject's recording; parameters as for :meth:`check`."""
        stimuli = n_stimuli if self.stimuli == "all" else int(self.stimuli)
        each = {
            ACTIVITY: stimuli * sum(self._units(layers).values()),
            WEIGHTS: sum(self._synapses(synapses).values()),
            ACTIVITY_CHANGE: stimuli * len(self._among(layers)),
        }
        return len(visits_of(self.visits, n_visits)) * sum(each[name] for name in self.observables)

    def _among(self, sizes: Mapping[str, int]) -> dict[str, int]:
        return {
            layer: size
            for layer, size in sizes.items()
            if self.layers is None or layer in self.layers
        }

    def _units(self, sizes: Mapping[str, int]) -> dict[str, int]:
        return _counts(self.units, self.units_per_layer, self._among(sizes))

    def _synapses(self, sizes: Mapping[str, int]) -> dict[str, int]:
        return _counts(self.synapses, self.synapses_per_layer, self._among(sizes))

    def implant(self, tissue: Tissue, choice: np.random.Generator) -> Implant:
        """Choose units, synapses and stimuli in one subject, once and for all visits.

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
        of_stimuli, of_units, of_synapses, of_inputs = choice.spawn(4)
        unit_streams = dict(zip(tissue.layers, of_units.spawn(len(tissue.layers)), strict=True))
        synapse_streams = dict(
            zip(tissue.layers, of_synapses.spawn(len(tissue.layers)), strict=True)
        )
        input_streams = dict(zip(tissue.layers, of_inputs.spawn(len(tissue.layers)), strict=True))
        first = tissue.layers[0]
        sizes: dict[str, int] = {}
        synapses: dict[str, int] = {}
        n_stimuli = 0
        if self.sees_responses:
            n_visits, n_stimuli, _ = tissue.responses[first].shape
            sizes = {layer: tissue.responses[layer].shape[-1] for layer in tissue.layers}
        if WEIGHTS in self.observables:
            n_visits = len(tissue.weights[first])
            synapses = {layer: tissue.weights[layer].shape[-1] for layer in tissue.layers}
        units = self._units(sizes)
        inputs = units if ACTIVITY_CHANGE in self.observables else {}
        visits = visits_of(self.visits, n_visits)
        stimuli = drawn(
            n_stimuli, n_stimuli if self.stimuli == "all" else int(self.stimuli), of_stimuli
        )

        def found(layer: str, count: int) -> Indices:
            if self.selection == "random":
                return drawn(sizes[layer], count, unit_streams[layer])
            seen = tissue.responses[layer][visits[0]][stimuli]
            return drawn_by_weight(np.maximum(seen, 0).mean(0), count, unit_streams[layer])

        return Implant(
            layers=tuple(self._among(dict.fromkeys(tissue.layers, 0))),
            observables=self.observables,
            noise=self.noise,
            spikes=self.spikes,
            calcium=self.calcium,
            visits=visits,
            stimuli=stimuli,
            units={layer: found(layer, count) for layer, count in units.items()},
            synapses={
                n: drawn(synapses[n], count, synapse_streams[n])
                for n, count in self._synapses(synapses).items()
            },
            # The presynaptic side of the activity change: as large a part of it as of the units.
            inputs={
                n: drawn(
                    tissue.inputs[n], -(-tissue.inputs[n] * count // sizes[n]), input_streams[n]
                )
                for n, count in inputs.items()
            },
        )


def _counts(total: int | str, each: int | None, there: Mapping[str, int]) -> dict[str, int]:
    if each is not None:
        return dict.fromkeys(there, each)
    return shares(there, total) if isinstance(total, int) and there else dict(there)
