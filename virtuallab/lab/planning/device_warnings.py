"""Warn of devices that record nothing in a layer, or several neurons that respond alike."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from virtuallab.lab.planning.network_group import NetworkGroup
from virtuallab.lab.planning.plan import Plan
from virtuallab.probes import Probe
from virtuallab.protocol import design_points
from virtuallab.subject.preparation import PreparedSubject
from virtuallab.vocabulary import ACTIVITY

_REPEATED = 0.1  # share of neurons that may respond as the unit of another without a warning


def device_warnings(plan: Plan) -> Iterator[str]:
    """Sentences about each probe and design with a pick-up radius that finds few units.

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
    inserted = {
        name: probe
        for name, probe in probes.items()
        if probe.resolved.measures_responses and probe.resolved.pickup_radius is not None
    }
    networks = [(group, group.untrained()) for group in plan.network_groups if inserted]
    for name, probe in inserted.items():
        yield from _few_units(name, probe, networks)


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
                f"as {different} units, so some differ only in their noise. A larger network, or "
                "more insertions, has more units."
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
