"""Insertion of a device with contacts: the units that it finds in each layer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import jaxtyping as jt
import numpy as np

from virtuallab.probes.device import Device, contact_positions
from virtuallab.probes.tissue_geometry import DEPTH, SIDE, MapShape, layer_at, unit_positions


def units_per_device(
    device: Device, sizes: Mapping[str, int], layers: Sequence[str]
) -> dict[str, int]:
    """Number of units that one device finds in each recorded layer; at most those that exist.

    Parameters
    ----------
    device : Device
        With contacts.
    sizes : mapping from layer to int
        Units of each recorded layer.
    layers : sequence of str
        All layers, from the surface down.
    """
    contacts = _contacts_in_layers(device, layers, sizes)
    total = len(contact_positions(device))
    return {n: min(sizes[n], round(device.units * len(contacts[n]) / total)) for n in sizes}


def insert(
    device: Device,
    insertions: int,
    maps: Mapping[str, MapShape],
    recorded: Sequence[str],
    generator: np.random.Generator,
) -> dict[str, jt.Int[np.ndarray, " _"]]:
    """Insert a device at random places; returns the units found in each recorded layer, ascending.

    Each contact in turn takes the nearest unit that is still free, until the device has found as
    many units as it can separate. Their number does not depend on the place.

    Parameters
    ----------
    device : Device
        With contacts.
    insertions : int
        Number of devices, each at a place of its own.
    maps : mapping from layer to (channels, height, width)
        Of all layers, from the surface down.
    recorded : sequence of str
    generator : numpy.random.Generator
    """
    sizes = {layer: int(np.prod(maps[layer])) for layer in recorded}
    layers = list(maps)
    contacts = _contacts_in_layers(device, layers, sizes)
    counts = units_per_device(device, sizes, layers)
    found: dict[str, list[int]] = {layer: [] for layer in recorded}
    half = np.ptp(contact_positions(device), axis=0) / 2
    room = np.maximum(SIDE - 2 * half, 0)  # the whole device fits in, if it can
    for _ in range(insertions):
        place = (SIDE - room) / 2 + generator.random(2) * room
        for layer in recorded:
            moved = contacts[layer] + [*place, 0]
            where = unit_positions(maps[layer], layers.index(layer), len(layers))
            count = min(counts[layer], sizes[layer] - len(found[layer]))
            found[layer] += _nearest_units(moved, where, count, found[layer])
    return {layer: np.sort(np.array(units, dtype=np.int64)) for layer, units in found.items()}


def _nearest_units(
    contacts: jt.Float[np.ndarray, "contact 3"],
    units: jt.Float[np.ndarray, "unit 3"],
    count: int,
    taken: Sequence[int],
) -> list[int]:
    """Nearest free unit of one contact after the other, in as many rounds as it takes."""
    if not count:
        return []
    distance = ((contacts[:, None] - units) ** 2).sum(-1)
    distance[:, list(taken)] = np.inf
    chosen: list[int] = []
    for number in range(count):
        unit = int(distance[number % len(contacts)].argmin())
        distance[:, unit] = np.inf
        chosen.append(unit)
    return chosen


def _contacts_in_layers(
    device: Device, layers: Sequence[str], recorded: Mapping[str, int]
) -> dict[str, jt.Float[np.ndarray, "contact 3"]]:
    """Contacts in each recorded layer: x and y relative to the place of insertion, and depth."""
    contacts = contact_positions(device)
    if device.placement == "within":
        depths = {n: (layers.index(n) + 0.5) * (DEPTH / len(layers)) for n in recorded}
        return {n: np.insert(contacts, 2, depth, axis=1) for n, depth in depths.items()}
    depth = DEPTH / 2 - contacts[:, 1]
    at = layer_at(depth, len(layers))
    through = np.column_stack([contacts[:, 0], np.zeros(len(contacts)), depth])
    return {layer: through[at == layers.index(layer)] for layer in recorded}
