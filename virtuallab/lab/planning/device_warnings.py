"""Warn of devices that find few units, and of settings of a probe that have no effect."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from virtuallab.lab.planning.network_group import NetworkGroup
from virtuallab.lab.planning.plan import Plan
from virtuallab.probes import Probe
from virtuallab.probes.resolved import ResolvedProbe
from virtuallab.protocol import design_points
from virtuallab.subject.preparation import PreparedSubject
from virtuallab.text import count_noun
from virtuallab.vocabulary import ACTIVITY, WEIGHTS

_REPEATED = 0.1  # share of neurons that may respond as the unit of another without a warning


def device_warnings(plan: Plan) -> Iterator[str]:
    """Sentences about each probe and design that finds few units, or has settings without effect.

    A network has fewer units than a cortex has neurons, so the neurons within the radius may
    respond as only a few of its units. A device is inserted once into an untrained network of each
    group; where networks differ, the first that has few units is named.

    Parameters
    ----------
    plan : Plan
    """
    compare = plan.protocol.compare
    written = dict(compare.designs) if compare else {}
    probes = {f"probes.{name}": probe for name, probe in plan.protocol.probes.items()}
    for name, design in written.items():
        for point in design_points(design):
            probes.setdefault(f"compare.designs.{name}", point.probe)
    for name, probe in probes.items():
        yield from _without_effect(name, probe.resolved)
    inserted = {
        name: probe
        for name, probe in probes.items()
        if probe.resolved.measures_responses and probe.resolved.pickup_radius is not None
    }
    networks = [(group, group.untrained()) for group in plan.network_groups if inserted]
    for name, probe in inserted.items():
        yield from _few_units(name, probe, networks)


def _without_effect(name: str, probe: ResolvedProbe) -> Iterator[str]:
    """Sentences about settings that change nothing, so that another may be missing."""
    device, responds = probe.inserted_device, probe.measures_responses
    if probe.radius == "none" and device is None:
        why = "there is no device with contacts, from which a radius is measured"
        yield f"{name}.radius has no effect: {why}."
    if probe.visit_interval != Probe.visit_interval and not (probe.daily_loss or probe.drift):
        why = "it is for rates by the day, and neither daily_loss nor drift is set"
        yield f"{name}.visit_interval has no effect: {why}."
    all_units = device is None and probe.units == "all" and probe.units_per_layer is None
    if probe.selection != Probe.selection and (all_units or not responds):
        why = "all units are recorded" if responds else "no unit is recorded"
        yield f"{name}.selection has no effect: {why}."
    totals = [(probe.units, probe.units_per_layer)] if responds else []
    if WEIGHTS in probe.observables:
        totals.append((probe.synapses, probe.synapses_per_layer))
    divided = any(total != "all" and each is None for total, each in totals)
    if probe.division != Probe.division and not divided:
        why = "no number of units or synapses in all layers together is set"
        yield f"{name}.division has no effect: {why}."


def _few_units(
    name: str, probe: Probe, networks: Sequence[tuple[NetworkGroup, PreparedSubject]]
) -> Iterator[str]:
    for group, _ in networks:
        counts = probe.resolved.unit_counts(group.layer_sizes[0])
        silent = ", ".join(layer for layer, count in counts.items() if not count)
        if silent:
            yield f"{name} records no unit in {silent} of {group.name}: it has no contacts there."
            break
    for group, network in networks:
        recorded, different = _neurons_and_units(probe, network)
        if different < (1 - _REPEATED) * recorded:
            yield (
                f"{name}: in {group.name} the {recorded} neurons within its pick-up radius respond "
                f"as {count_noun(different, 'unit')}, so some differ only in their noise. "
                "A larger network, or more insertions, has more units."
            )
            break


def _neurons_and_units(probe: Probe, network: PreparedSubject) -> tuple[int, int]:
    """Number of neurons that a device records in a network at one place, and of their units."""
    once = replace(
        probe,
        observables=(ACTIVITY,),
        visits="all",
        stimuli="all",
        turnover=0.0,
        daily_loss=None,
        daily_return=None,
        drift=0.0,
    )
    units = once.implant(network, np.random.default_rng(0)).selection.units.values()
    indices = [each.index for each in units]
    return sum(map(len, indices)), sum(len(np.unique(index)) for index in indices)
