"""A probe: who, when, shown what, with what noise. A recording design, and its implantation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
import xarray as xr
from annotated_types import Len

from virtuallab.errors import suggest
from virtuallab.fields import Count, NonNegativeInt, setting
from virtuallab.probe.noise import Noise
from virtuallab.probe.sampling import chosen, shares, spaced
from virtuallab.probe.tissue import Tissue
from virtuallab.vocabulary import ACTIVITY, ACTIVITY_CHANGE, OBSERVABLES, WEIGHTS, describe

Observable = Literal["weights", "activity", "activity_change"]
_NO_NOISE = Noise()


@dataclass(frozen=True, kw_only=True)
class Probe:
    """A recording design.

    Units are drawn once for each subject and are the same at all visits, as with an implanted
    array.
    """

    units: Count | Literal["all"] = setting(
        "all", doc="Units to record, drawn over all layers in proportion to their size."
    )
    units_per_layer: Count | None = setting(
        None, doc="Units to record in each layer, in the place of `units`."
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
    visits: Count | Annotated[tuple[NonNegativeInt, ...], Len(1)] | Literal["all"] = setting(
        "all",
        doc="Visits to record at: a number, evenly spread with the first and the last, or a list "
        "of visits counted from 0.",
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
        units: Mapping[str, int],
        synapses: Mapping[str, int],
        n_visits: int,
        n_stimuli: int,
    ) -> list[tuple[str, str]]:
        """Say what of this design cannot be had.

        Parameters
        ----------
        units, synapses : mapping from layer to int
            How many there are.
        n_visits, n_stimuli : int
            Visits preserved, probe images of the task.

        Returns
        -------
        list of (field, message)
            Empty if the design is possible.
        """
        unknown = [layer for layer in self.layers or () if layer not in units]
        if unknown:
            return [("layers", f"no layer {name!r}. {suggest(name, units)}") for name in unknown]
        return [
            *self._shortage("units", self.units, self.units_per_layer, self._among(units)),
            *self._shortage("synapses", self.synapses, self.synapses_per_layer, self._among(synapses)),
            *self._impossible_visits(n_visits),
            *self._impossible_rest(n_stimuli),
        ]

    def _shortage(
        self, noun: str, total: int | str, each: int | None, there: Mapping[str, int]
    ) -> Iterator[tuple[str, str]]:
        if each is not None and total != "all":
            yield noun, f"give {noun} or {noun}_per_layer, not both."
        elif each is not None:
            layer = min(there, key=lambda name: there[name])
            if each > there[layer]:
                yield (
                    f"{noun}_per_layer",
                    f"{each} {noun} asked of layer {layer!r}, which has {there[layer]}. Lower it, "
                    f"name other layers, or use '{noun}: all'.",
                )
        elif isinstance(total, int) and total > sum(there.values()):
            yield (
                noun,
                f"{total} {noun} asked of {sum(there.values())} in "
                f"{', '.join(there)}. Lower it or use '{noun}: all'.",
            )

    def _impossible_visits(self, n_visits: int) -> Iterator[tuple[str, str]]:
        if isinstance(self.visits, int) and self.visits > n_visits:
            yield "visits", f"{self.visits} visits asked for, {n_visits} are preserved."
        if isinstance(self.visits, tuple):
            for visit in self.visits:
                if visit >= n_visits:
                    last = n_visits - 1
                    yield "visits", f"visit {visit} is after the end of training (visit {last})."
            if list(self.visits) != sorted(set(self.visits)):
                yield "visits", "visits must ascend, each named once."

    def _impossible_rest(self, n_stimuli: int) -> Iterator[tuple[str, str]]:
        if isinstance(self.stimuli, int) and self.stimuli > n_stimuli:
            yield "stimuli", f"{self.stimuli} stimuli asked for, the task has {n_stimuli}."
        if self.noise.sigma is not None and self.noise.snr is not None:
            yield "noise", "give sigma or snr, not both."

    def values(
        self, units: Mapping[str, int], synapses: Mapping[str, int], n_visits: int, n_stimuli: int
    ) -> int:
        """Count the numbers in one subject's recording."""
        visits = len(self._visits(n_visits))
        stimuli = n_stimuli if self.stimuli == "all" else self.stimuli
        each = {
            ACTIVITY: stimuli * sum(self._counts(self.units, self.units_per_layer, units).values()),
            WEIGHTS: sum(self._counts(self.synapses, self.synapses_per_layer, synapses).values()),
            ACTIVITY_CHANGE: stimuli * len(self._among(units)),
        }
        return visits * sum(each[name] for name in self.observables)

    def _among(self, sizes: Mapping[str, int]) -> dict[str, int]:
        return {layer: sizes[layer] for layer in sizes if not self.layers or layer in self.layers}

    def _counts(
        self, total: int | str, each: int | None, sizes: Mapping[str, int]
    ) -> dict[str, int]:
        there = self._among(sizes)
        if each is not None:
            return dict.fromkeys(there, each)
        return shares(there, total) if isinstance(total, int) else there

    def _visits(self, n_visits: int) -> np.ndarray:
        if self.visits == "all":
            return np.arange(n_visits)
        if isinstance(self.visits, tuple):
            return np.array(self.visits)
        return spaced(n_visits, int(self.visits))

    def implant(self, tissue: Tissue, choice: np.random.Generator) -> Implant:
        """Choose units, synapses and stimuli in one subject, once and for all visits.

        Parameters
        ----------
        tissue : Tissue
        choice : numpy.random.Generator
            The stream of this probe in this subject.
        """
        n_units = {layer: tissue.responses[layer].shape[-1] for layer in tissue.layers}
        n_synapses = {layer: tissue.weights[layer].shape[-1] for layer in tissue.layers}
        n_visits, n_stimuli, _ = tissue.responses[tissue.layers[0]].shape
        units = self._counts(self.units, self.units_per_layer, n_units)
        synapses = self._counts(self.synapses, self.synapses_per_layer, n_synapses)
        return Implant(
            probe=self,
            visits=self._visits(n_visits),
            stimuli=np.arange(n_stimuli)
            if self.stimuli == "all"
            else chosen(n_stimuli, int(self.stimuli), choice),
            units={layer: chosen(n_units[layer], n, choice) for layer, n in units.items()},
            synapses={layer: chosen(n_synapses[layer], n, choice) for layer, n in synapses.items()},
            # The presynaptic side of the activity change: as large a part of it as of the units.
            inputs={
                layer: chosen(
                    tissue.inputs[layer], -(-tissue.inputs[layer] * n // n_units[layer]), choice
                )
                for layer, n in units.items()
            },
        )


@dataclass(frozen=True)
class Implant:
    """A probe in place: what it will record of one subject.

    Parameters
    ----------
    probe : Probe
    visits, stimuli : array of int
    units, synapses, inputs : mapping from layer to array of int
        Chosen indices.
    """

    probe: Probe
    visits: np.ndarray
    stimuli: np.ndarray
    units: Mapping[str, np.ndarray]
    synapses: Mapping[str, np.ndarray]
    inputs: Mapping[str, np.ndarray]

    def record(self, tissue: Tissue, noise: np.random.Generator) -> xr.Dataset:
        """Measure.

        Parameters
        ----------
        tissue : Tissue
        noise : numpy.random.Generator
            The noise stream of this probe in this subject.

        Returns
        -------
        xr.Dataset
            ``activity`` (visit, stimulus, unit), ``weights`` (visit, synapse) and
            ``activity_change`` (visit, stimulus, layer), as far as the probe measures them, float32;
            with the indices of units, synapses and stimuli that were chosen.
        """
        layers = [layer for layer in tissue.layers if layer in self.units]
        depth = {layer: index for index, layer in enumerate(tissue.layers)}
        count = len(tissue.layers)
        variables: dict[str, xr.Variable] = {}
        coords: dict[str, xr.Variable] = {
            "visit": _labelled("visit", "visit", self.visits),
            "layer": _labelled("layer", "layer", _words(layers)),
            "layer_depth": _labelled(
                "layer_depth", "layer", np.array([depth[n] / max(count - 1, 1) for n in layers])
            ),
            "depth_group": _labelled(
                "depth_group", "layer", np.array([depth_group(depth[n], count) for n in layers])
            ),
        }
        if ACTIVITY in self.probe.observables:
            seen = [self._responses(tissue, layer, noise) for layer in layers]
            variables[ACTIVITY] = _measured(ACTIVITY, ("visit", "stimulus", "unit"), seen)
            variables["unit_index"] = _labelled("unit_index", "unit", _joined(self.units, layers))
            coords["unit_layer"] = _labelled("unit_layer", "unit", _owners(self.units, layers))
        if WEIGHTS in self.probe.observables:
            seen = [self._weights(tissue, layer, noise) for layer in layers]
            variables[WEIGHTS] = _measured(WEIGHTS, ("visit", "synapse"), seen)
            variables["synapse_index"] = _labelled(
                "synapse_index", "synapse", _joined(self.synapses, layers)
            )
            coords["synapse_layer"] = _labelled(
                "synapse_layer", "synapse", _owners(self.synapses, layers)
            )
        if ACTIVITY_CHANGE in self.probe.observables:
            seen = [self._change(tissue, layer, noise)[..., None] for layer in layers]
            variables[ACTIVITY_CHANGE] = _measured(
                ACTIVITY_CHANGE, ("visit", "stimulus", "layer"), seen
            )
        if any("stimulus" in variable.dims for variable in variables.values()):
            variables["stimulus_index"] = _labelled("stimulus_index", "stimulus", self.stimuli)
            shown = tissue.labels[self.stimuli]
            variables["stimulus_label"] = _labelled("stimulus_label", "stimulus", shown)
        return xr.Dataset(variables, coords)

    def _responses(self, tissue: Tissue, layer: str, noise: np.random.Generator) -> np.ndarray:
        signal = tissue.responses[layer][np.ix_(self.visits, self.stimuli, self.units[layer])]
        return self.probe.noise.added(signal, tissue.responses[layer][0], noise)

    def _weights(self, tissue: Tissue, layer: str, noise: np.random.Generator) -> np.ndarray:
        signal = tissue.weights[layer][np.ix_(self.visits, self.synapses[layer])]
        return self.probe.noise.added(signal, tissue.weights[layer][0], noise)

    def _change(self, tissue: Tissue, layer: str, noise: np.random.Generator) -> np.ndarray:
        r"""Layer-wise activity change of the recorded units to the recorded inputs.

        .. math:: g = \frac{1}{|S_{out}|} \sum_{j \in S_{out}} \sum_{i \in S_{in}}
                  \frac{\partial y_j}{\partial x_i}

        Noise is added to each input's sum, before the inputs are drawn.
        """
        units = self.units[layer]
        if not len(units):
            return np.full((len(self.visits), len(self.stimuli)), np.nan, dtype=np.float32)
        sums = tissue.jacobian(layer, units)
        seen = sums[np.ix_(self.visits, self.stimuli, self.inputs[layer])]
        noisy = self.probe.noise.added(seen, sums[0], noise)
        mean: np.ndarray = noisy.sum(-1, dtype=np.float64) / len(units)
        return mean.astype(seen.dtype)


def depth_group(index: int, count: int) -> int:
    """Early (0), middle (1) or deep (2): the first and the second third of layers, and the rest.

    >>> [depth_group(i, 4) for i in range(4)]
    [0, 1, 2, 2]
    """
    return min(index // max(count // 3, 1), 2)


def _measured(name: str, dims: tuple[str, ...], parts: list[np.ndarray]) -> xr.Variable:
    return xr.Variable(dims, np.concatenate(parts, axis=-1).astype(np.float32), describe(name))


def _labelled(name: str, dim: str, values: np.ndarray) -> xr.Variable:
    return xr.Variable((dim,), values, describe(name))


def _joined(chosen_in: Mapping[str, np.ndarray], layers: list[str]) -> np.ndarray:
    return np.concatenate([chosen_in[layer] for layer in layers])


def _owners(chosen_in: Mapping[str, np.ndarray], layers: list[str]) -> np.ndarray:
    return _words([layer for layer in layers for _ in chosen_in[layer]])


def _words(values: list[str]) -> np.ndarray:
    return np.array(values, dtype=object)
