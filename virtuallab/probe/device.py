"""A recording device: where its contacts lie, and what it does to the signal."""

from __future__ import annotations

import json
from abc import ABC
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

import jaxtyping as jt
import numpy as np
from annotated_types import Len

from virtuallab.errors import UnknownName
from virtuallab.fields import setting
from virtuallab.probe.fault import Complaint
from virtuallab.probe.tissue_geometry import DEPTH, SIDE, Map, layer_at, positions
from virtuallab.registry import DEVICES

if TYPE_CHECKING:
    import probeinterface

Contact = tuple[float, float]
Placement = Literal["through", "within"]


class Device(ABC):
    """Makes a probe of a name: its geometry, and settings for what a protocol leaves open.

    A subclass says in its docstring what it is and where its numbers are from.

    Attributes
    ----------
    placement : "through" or "within"
        A shank goes through all layers, its contacts centred in depth; anything flat is put into
        the middle of each recorded layer, one in each.
    units : int
        Most units that one of it gives; each contact hears those next to it.
    settings : mapping
        Fields of a probe, and their values where a protocol does not give them.
    """

    name: ClassVar[str]
    placement: ClassVar[Placement] = "through"
    units: ClassVar[int] = 0
    settings: ClassVar[Mapping[str, Any]] = {}

    def geometry(self) -> probeinterface.Probe | None:
        """Lay out the contacts, in um; y along a shank, its tip lowest. None if it has none."""
        return None


@dataclass(frozen=True, kw_only=True)
class Contacts(Device):
    """A device of one's own, as a list of contacts."""

    contacts: Annotated[tuple[Contact, ...], Len(1)] = setting(
        unit="um", doc="Positions [x, y] of the contacts, in um; y along a shank."
    )
    placement: Placement = setting(  # type: ignore[misc]
        "through",
        doc="'through' all layers, as a shank, or 'within' each recorded layer, as what is flat.",
    )

    @property
    def units(self) -> int:  # type: ignore[override]
        """One unit for each contact."""
        return len(self.contacts)

    def geometry(self) -> probeinterface.Probe:
        """Lay out the contacts."""
        import probeinterface

        probe = probeinterface.Probe(ndim=2, si_units="um")
        probe.set_contacts(positions=np.array(self.contacts), shapes="circle")
        return probe


def contacts_json(named: str | Contacts | None) -> str | None:
    """Write a device's contacts in the format of probeinterface; None if it has none."""
    import probeinterface

    device = device_of(named)
    probe = None if device is None else device.geometry()
    if probe is None:
        return None
    whole = {
        "specification": "probeinterface",
        "version": probeinterface.__version__,
        "probes": [probe.to_dict(array_as_list=True)],
    }
    return json.dumps(whole)


def device_of(named: str | Contacts | None) -> Device | None:
    """Find the device of a name.

    Raises
    ------
    UnknownName
    """
    if isinstance(named, str):
        device: Device = DEVICES[named]()
        return device
    return named


def unknown_device(named: str | Contacts | None) -> Iterator[Complaint]:
    """Complain of a name that no device has."""
    try:
        device_of(named)
    except UnknownName as error:
        yield "device", str(error)


def yields(device: Device, sizes: Mapping[str, int], layers: Sequence[str]) -> dict[str, int]:
    """How many units one device finds in each recorded layer; no more than there are.

    Parameters
    ----------
    device : Device
        With contacts.
    sizes : mapping from layer to int
        Units of each recorded layer.
    layers : sequence of str
        All layers, from the surface down.
    """
    at = _placed(device, layers, sizes)
    total = len(_contacts(device))
    return {n: min(sizes[n], round(device.units * len(at[n]) / total)) for n in sizes}


def reached(
    device: Device,
    insertions: int,
    maps: Mapping[str, Map],
    recorded: Sequence[str],
    stream: np.random.Generator,
) -> dict[str, jt.Int[np.ndarray, " _"]]:
    """Insert a device somewhere and return the units it finds in each recorded layer, ascending.

    Where it is inserted is random; how many units it finds is not. One contact after the other
    hears the nearest unit that no other hears yet, until all that the device can tell apart are
    found.

    Parameters
    ----------
    device : Device
        With contacts.
    insertions : int
        How many of them, each at a place of its own.
    maps : mapping from layer to (channels, height, width)
        Of all layers, from the surface down.
    recorded : sequence of str
    stream : numpy.random.Generator
    """
    sizes = {layer: int(np.prod(maps[layer])) for layer in recorded}
    layers = list(maps)
    at = _placed(device, layers, sizes)
    each = yields(device, sizes, layers)
    found: dict[str, list[int]] = {layer: [] for layer in recorded}
    for _ in range(insertions):
        contacts = _contacts(device)
        half = np.ptp(contacts, axis=0) / 2
        room = np.maximum(SIDE - 2 * half, 0)  # the whole device fits in, if it can
        place = (SIDE - room) / 2 + stream.random(2) * room
        for layer in recorded:
            three = at[layer].copy()
            three[:, :2] += place
            where = positions(maps[layer], layers.index(layer), len(layers))
            count = min(each[layer], sizes[layer] - len(found[layer]))
            found[layer] += _nearest(three, where, count, found[layer])
    return {layer: np.sort(np.array(units, dtype=np.int64)) for layer, units in found.items()}


def _nearest(
    contacts: jt.Float[np.ndarray, "contact 3"],
    units: jt.Float[np.ndarray, "unit 3"],
    count: int,
    taken: Sequence[int],
) -> list[int]:
    """Let one contact after the other choose its nearest unit, in as many rounds as it takes."""
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


def _placed(
    device: Device, layers: Sequence[str], recorded: Mapping[str, int]
) -> dict[str, jt.Float[np.ndarray, "contact 3"]]:
    """Contacts in each recorded layer: x and y from where it is inserted, and depth."""
    contacts = _contacts(device)
    thickness = DEPTH / len(layers)
    if device.placement == "within":
        return {
            layer: np.column_stack(
                [contacts, np.full(len(contacts), (layers.index(layer) + 0.5) * thickness)]
            )
            for layer in recorded
        }
    depth = DEPTH / 2 - contacts[:, 1]
    of = layer_at(depth, len(layers))
    three = np.column_stack([contacts[:, 0], np.zeros(len(contacts)), depth])
    return {layer: three[of == layers.index(layer)] for layer in recorded}


def _contacts(device: Device) -> jt.Float[np.ndarray, "contact 2"]:
    """Contacts about their centre."""
    return _centred(device if isinstance(device, Contacts) else type(device))


@cache
def _centred(device: Any) -> jt.Float[np.ndarray, "contact 2"]:
    probe = (device if isinstance(device, Contacts) else device()).geometry()
    assert probe is not None
    where = np.asarray(probe.contact_positions, dtype=np.float64)
    found: np.ndarray = where - (where.max(0) + where.min(0)) / 2
    return found
