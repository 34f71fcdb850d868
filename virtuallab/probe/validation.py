"""What of a recording design cannot be had of the subjects at hand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from virtuallab.probe.device import device_of
from virtuallab.probe.fault import Complaint, among, positive, shortage
from virtuallab.probe.schedule import impossible_visits, visits_of
from virtuallab.probe.unit_selection import available, recorded
from virtuallab.vocabulary import ACTIVITY, ACTIVITY_CHANGE, OBSERVABLES, WEIGHTS

if TYPE_CHECKING:
    from virtuallab.probe.probe import InEffect


def complaints(
    probe: InEffect,
    layers: Mapping[str, int],
    synapses: Mapping[str, int],
    n_visits: int,
    n_stimuli: int,
) -> list[Complaint]:
    """Say everything of a design that cannot be had; parameters as for :meth:`Probe.check`."""
    found = [
        *among("observables", "observable", probe.observables, OBSERVABLES),
        *(among("layers", "layer", probe.layers, layers) if probe.layers is not None else ()),
        *_shortages(probe, layers, synapses),
        *probe.noise.check(),
        *_impossible_readout(probe),
        *impossible_visits(probe.visits, n_visits),
        *_impossible_stimuli(probe, n_stimuli),
        *_impossible_device(probe),
    ]
    # Only of visits that there are can be asked how many they are.
    return found or [*_impossible_turnover(probe, layers, n_visits)]


def _shortages(
    probe: InEffect, units: Mapping[str, int], synapses: Mapping[str, int]
) -> Iterator[Complaint]:
    yield from positive("pool", probe.pool)
    yield from positive("insertions", probe.insertions)
    there = available(probe, units) if probe.pool > 0 else {}
    if probe.sees_responses and there:
        yield from shortage("units", probe.units, probe.units_per_layer, there)
        if not any(there.values()):
            yield (
                "pool" if probe.pool > 1 else "device",
                "not one unit is found in the layers recorded. "
                + ("Lower it." if probe.pool > 1 else "Choose other layers or another device."),
            )
    measured = recorded(probe, synapses)
    if WEIGHTS in probe.observables and measured:
        yield from shortage("synapses", probe.synapses, probe.synapses_per_layer, measured)


def _impossible_readout(probe: InEffect) -> Iterator[Complaint]:
    if probe.spikes is not None and probe.calcium is not None:
        yield "calcium", "found spikes too. A probe counts spikes or sees fluorescence."
    for name in ("spikes", "calcium"):
        if getattr(probe, name) is not None and ACTIVITY not in probe.observables:
            yield name, f"is of activity, which this probe does not measure ({ACTIVITY!r})."


def _impossible_stimuli(probe: InEffect, n_stimuli: int) -> Iterator[Complaint]:
    if not probe.sees_responses:
        return
    yield from positive("stimuli", probe.stimuli)
    if n_stimuli < 1:
        yield "stimuli", "the task shows no stimuli to probes. Raise its probe_images."
    elif isinstance(probe.stimuli, int) and probe.stimuli > n_stimuli:
        yield (
            "stimuli",
            f"{probe.stimuli} stimuli asked of a task that has {n_stimuli}. Lower it, raise the "
            "task's probe_images, or use 'stimuli: all'.",
        )


def _impossible_device(probe: InEffect) -> Iterator[Complaint]:
    device = device_of(probe.device)
    has_contacts = device is not None and bool(device.units)
    if has_contacts and probe.pool > 1:
        yield "pool", "is for a probe without contacts: each contact of this device hears one unit."
    if has_contacts and not probe.sees_responses:
        yield "device", f"hears {ACTIVITY}, which this probe does not measure."
    if not has_contacts and probe.insertions != 1:
        yield "insertions", "there is no device with contacts to insert."


def _impossible_turnover(
    probe: InEffect, sizes: Mapping[str, int], n_visits: int
) -> Iterator[Complaint]:
    if not 0 <= probe.turnover <= 1:
        yield "turnover", f"is a share between 0 and 1, found {probe.turnover}."
        return
    moving = "turnover" if probe.turnover else "pool" if probe.pool > 1 else None
    if moving is not None and ACTIVITY_CHANGE in probe.observables:
        yield (
            moving,
            f"{ACTIVITY_CHANGE!r} is of single units followed over all visits. Measure "
            f"'observables: [{ACTIVITY}]' instead.",
        )
    if not probe.turnover or not probe.sees_responses:
        return
    if probe.pool > 1:
        yield "turnover", "averages of many units do not lose single ones. Leave out one of both."
        return
    whole = probe.units == "all" and probe.units_per_layer is None and not _inserted(probe)
    if whole and len(visits_of(probe.visits, n_visits)) > 1 and recorded(probe, sizes):
        yield "turnover", "where all units are recorded none is left to find. Record fewer units."


def _inserted(probe: InEffect) -> bool:
    device = device_of(probe.device)
    return device is not None and bool(device.units)
