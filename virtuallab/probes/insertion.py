"""Insertion of a device with contacts: the neurons, or units, that it finds in each layer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import jaxtyping as jt
import numpy as np

from virtuallab.probes.device import Device, contact_positions
from virtuallab.probes.tissue_geometry import (
    DEPTH,
    SIDE,
    MapShape,
    TissueLayer,
    layer_at,
    unit_positions,
)


def units_per_device(
    device: Device, units: int, sizes: Mapping[str, int], layers: Sequence[str]
) -> dict[str, int]:
    """Number of units that one device records in each recorded layer; at most those that exist.

    Parameters
    ----------
    device : Device
        With contacts.
    units : int
        Units that it would record with all its contacts.
    sizes : mapping from layer to int
        Units of each recorded layer.
    layers : sequence of str
        All layers, from the surface down.
    """
    contacts = contacts_per_layer(device, layers)
    total = len(contact_positions(device))
    return {n: min(sizes[n], round(units * contacts[n] / total)) for n in sizes}


def contacts_per_layer(device: Device, layers: Sequence[str]) -> dict[str, int]:
    """Number of contacts of one device in each layer."""
    return {n: len(found) for n, found in _contacts_in_layers(device, layers, layers).items()}


class InsertedDevice:
    """Devices at their places in one subject's tissue, and the neurons within their pick-up radius.

    Parameters
    ----------
    device : Device
        With contacts.
    radius : float
        Pick-up radius, in um.
    maps : mapping from layer to (channels, height, width)
        Of all layers, from the surface down.
    recorded : sequence of str
        Layers that are recorded.
    shifts : array, (visit, insertion)
        Displacement of each device in depth at each visit, in um.
    key : int
        Of the tissue; see :class:`~virtuallab.probes.tissue_geometry.TissueLayer`.
    generator : numpy.random.Generator
        Draws the place of each device.
    """

    def __init__(
        self,
        device: Device,
        radius: float,
        maps: Mapping[str, MapShape],
        recorded: Sequence[str],
        shifts: jt.Float[np.ndarray, "visit insertion"],
        key: int,
        generator: np.random.Generator,
    ) -> None:
        layers = list(maps)
        self._radius, self._shifts = radius, shifts
        self._tissue = {
            layer: TissueLayer(maps[layer], layers.index(layer), len(layers), key)
            for layer in recorded
        }
        places = np.array([_place(device, generator) for _ in range(shifts.shape[1])])
        corners = np.insert(places, 2, 0, axis=1)[:, None]
        self._contacts = {
            layer: contacts + corners  # (insertion, contact, 3)
            for layer, contacts in _contacts_in_layers(device, layers, recorded).items()
        }

    def find(
        self,
        layer: str,
        visit: int,
        count: int,
        generator: np.random.Generator,
        taken: jt.Int[np.ndarray, " _"] | Sequence[int] = (),
    ) -> jt.Int[np.ndarray, " neuron"]:
        """Draw neurons of a layer, each within the pick-up radius of a contact.

        The contacts take turns in random order. Each records one of the neurons within its radius,
        all with the same probability: those that differ from all others in their unit first, then
        those that are not recorded yet. Only a contact with no such neuron records one again.

        Parameters
        ----------
        layer : str
        visit : int
            Number of the recorded visit.
        count : int
        generator : numpy.random.Generator
        taken : sequence of int
            Neurons that are recorded already.
        """
        if not count:
            return np.empty(0, dtype=np.int64)
        tissue, contacts = self._tissue[layer], self._contacts_at(layer, visit)
        rounds = -(-count // len(contacts))
        turns = np.concatenate([generator.permutation(len(contacts)) for _ in range(rounds)])
        neurons, within = tissue.around(contacts[turns[:count]], self._radius)
        order = np.where(within, generator.random(neurons.shape), np.inf).argsort(axis=1)
        neurons = np.take_along_axis(neurons, order, axis=1)
        recorded = set(np.asarray(taken, dtype=np.int64).tolist())
        known = set(tissue.units(np.array(sorted(recorded), dtype=np.int64)).tolist())
        found = []
        for near, number in zip(neurons, within.sum(axis=1), strict=True):
            near, units = near[:number], tissue.units(near[:number])
            free = ~np.isin(near, list(recorded))
            other = free & ~np.isin(units, list(known))
            chosen = int(other.argmax() if other.any() else free.argmax())
            found.append(int(near[chosen]))
            recorded.add(found[-1])
            known.add(int(units[chosen]))
        return np.array(found, dtype=np.int64)

    def reaches(
        self, layer: str, visit: int, neurons: jt.Int[np.ndarray, "*_"]
    ) -> jt.Bool[np.ndarray, "*_"]:
        """Mask of the neurons that are within the pick-up radius of a contact at a visit."""
        from scipy.spatial import cKDTree

        contacts = cKDTree(self._contacts_at(layer, visit))
        distance, _ = contacts.query(self.positions(layer, neurons))
        found: np.ndarray = distance <= self._radius * (1 + 1e-12)
        return found

    def neighbours(
        self, layer: str, visit: int, neurons: jt.Int[np.ndarray, " neuron"]
    ) -> jt.Int[np.ndarray, " neuron"]:
        """Nearest neuron of another unit that the device reaches, for each neuron.

        Of the 26 neurons around it; the nearest of these if the device reaches none that differs.
        """
        if not len(neurons):
            return neurons
        tissue = self._tissue[layer]
        where = tissue.positions(neurons)
        around, near = tissue.around(where, 1.01 * float(np.linalg.norm(tissue.cell)))
        distance = np.linalg.norm(tissue.positions(around) - where[:, None], axis=-1)
        other = near & (around != neurons[:, None])
        differs = tissue.units(around) != tissue.units(neurons)[:, None]
        usable = differs & self.reaches(layer, visit, around)
        ranked = np.where(other, distance + 1e6 * ~usable, np.inf)
        found: np.ndarray = around[np.arange(len(neurons)), ranked.argmin(axis=1)]
        return found

    def positions(
        self, layer: str, neurons: jt.Int[np.ndarray, "*_"]
    ) -> jt.Float[np.ndarray, "*_ 3"]:
        """x, y and depth of neurons, in um."""
        found: np.ndarray = self._tissue[layer].positions(neurons)
        return found

    def units(self, layer: str, neurons: jt.Int[np.ndarray, "*_"]) -> jt.Int[np.ndarray, "*_"]:
        """Unit as which each neuron responds."""
        found: np.ndarray = self._tissue[layer].units(neurons)
        return found

    def _contacts_at(self, layer: str, visit: int) -> jt.Float[np.ndarray, "contact 3"]:
        """Contacts of all devices in a layer; no drift moves them into another layer."""
        tissue = self._tissue[layer]
        moved: np.ndarray = self._contacts[layer].copy()
        moved[..., 2] = np.clip(
            moved[..., 2] + self._shifts[visit][:, None], tissue.top, tissue.bottom
        )
        found: np.ndarray = moved.reshape(-1, 3)
        return found


def insert(
    device: Device,
    insertions: int,
    maps: Mapping[str, MapShape],
    recorded: Sequence[str],
    generator: np.random.Generator,
) -> dict[str, jt.Int[np.ndarray, " _"]]:
    """Insert a device without a pick-up radius; returns the units found in each layer, ascending.

    Each contact in turn takes the nearest unit that is still free, at any distance, until the
    device has found as many units as it can separate. Their number does not depend on the place.

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
    counts = units_per_device(device, device.most_units, sizes, layers)
    found: dict[str, list[int]] = {layer: [] for layer in recorded}
    for _ in range(insertions):
        place = _place(device, generator)
        for layer in recorded:
            moved = contacts[layer] + [*place, 0]
            where = unit_positions(maps[layer], layers.index(layer), len(layers))
            count = min(counts[layer], sizes[layer] - len(found[layer]))
            found[layer] += _nearest_units(moved, where, count, found[layer])
    return {layer: np.sort(np.array(units, dtype=np.int64)) for layer, units in found.items()}


def _place(device: Device, generator: np.random.Generator) -> jt.Float[np.ndarray, " 2"]:
    """Random place on the surface, in um, at which the whole of a device fits in, if it can."""
    half = np.ptp(contact_positions(device), axis=0) / 2
    room = np.maximum(SIDE - 2 * half, 0)
    found: np.ndarray = (SIDE - room) / 2 + generator.random(2) * room
    return found


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
    device: Device, layers: Sequence[str], recorded: Iterable[str]
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
