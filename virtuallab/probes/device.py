"""Recording devices: contact positions and preset probe settings."""

from __future__ import annotations

import json
from abc import ABC
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, ClassVar, Literal

import jaxtyping as jt
import numpy as np
import probeinterface
from annotated_types import Len

from virtuallab.fields import setting
from virtuallab.probes.noise.noise_model import NoiseModel
from virtuallab.probes.readouts.indicator import Indicator
from virtuallab.probes.readouts.spikes import Spikes
from virtuallab.registry import DEVICES
from virtuallab.vocabulary import Observable

Contact = tuple[float, float]
Placement = Literal["through", "within"]


@dataclass(frozen=True, kw_only=True)
class Presets:
    """Settings of a probe that a device may preset; None leaves them to the defaults.

    Parameters
    ----------
    observables, units, units_per_layer, synapses, synapses_per_layer : optional
        As of :class:`~virtuallab.probes.Probe`.
    pool, spikes, calcium, noise, turnover, daily_loss, daily_return, drift : optional
        As of :class:`~virtuallab.probes.Probe`.
    """

    observables: tuple[Observable, ...] | None = None
    units: int | Literal["all"] | None = None
    units_per_layer: int | None = None
    synapses: int | Literal["all"] | None = None
    synapses_per_layer: int | None = None
    pool: int | None = None
    spikes: Spikes | None = None
    calcium: Indicator | None = None
    noise: NoiseModel | None = None
    turnover: float | None = None
    daily_loss: float | None = None
    daily_return: float | None = None
    drift: float | None = None

    def given(self) -> dict[str, Any]:
        """Settings that are preset."""
        return {name: value for name, value in vars(self).items() if value is not None}


class Device(ABC):
    """A recording device: its geometry, and presets of the settings that a protocol leaves open.

    A subclass describes the device and the sources of its numbers in its docstring.

    Attributes
    ----------
    placement : "through" or "within"
        A shank goes through all layers, its contacts centred in depth; a flat device is placed in
        the middle of each recorded layer, one in each.
    units : int
        Yield: single units that one device typically isolates; 0 without contacts. A protocol may
        ask for more, up to one for each contact.
    radius : float
        Pick-up radius in um: distance from a contact within which single units are isolated.
        Buzsaki (2004) and Henze et al. (2000) give 50 um, within which 60 to 100 neurons could be
        distinguished; spikes can be detected up to about 140 um.
    shared_contacts : bool
        True if a contact may isolate several units, so that there may be more units than contacts.
    presets : Presets
        Settings of a probe where a protocol leaves them open.

    References
    ----------
    Buzsaki 2004, "Large-scale recording of neuronal ensembles".
    Henze et al. 2000, "Intracellular features predicted by extracellular recordings in the
    hippocampus in vivo".
    """

    name: ClassVar[str]
    placement: ClassVar[Placement] = "through"
    units: ClassVar[int] = 0
    radius: ClassVar[float] = 50.0
    shared_contacts: ClassVar[bool] = False
    presets: ClassVar[Presets] = Presets()

    def geometry(self) -> probeinterface.Probe | None:
        """Contacts in um in two dimensions, y along a shank with its tip lowest.

        Returns
        -------
        probeinterface.Probe or None
            None without contacts.
        """
        return None

    @property
    def most_units(self) -> int:
        """Most units that one device can be asked for: one for each contact, or its yield."""
        return max(self.units, len(contact_positions(self))) if self.units else 0


@dataclass(frozen=True, kw_only=True)
class Contacts(Device):
    """A device that is described by the positions of its contacts.

    Raises
    ------
    ValueError
        If two contacts have the same position.
    """

    contacts: Annotated[tuple[Contact, ...], Len(1)] = setting(
        unit="um", doc="Positions [x, y] of the contacts, in um; y along a shank."
    )
    placement: Placement = setting(  # type: ignore[misc]
        "through",
        doc="'through' all layers, as a shank, or 'within' each recorded layer, as a flat device.",
    )

    def __post_init__(self) -> None:
        for place, contact in enumerate(self.contacts):
            if contact in self.contacts[:place]:
                first = self.contacts.index(contact)
                where = ", ".join(f"{each:g}" for each in contact)
                raise ValueError(f"contacts {first} and {place} are both at [{where}]")

    @property
    def units(self) -> int:  # type: ignore[override]
        """Number of contacts; each separates one unit."""
        return len(self.contacts)

    def geometry(self) -> probeinterface.Probe:
        """Contacts in the order in which they are listed."""
        probe = probeinterface.Probe(ndim=2, si_units="um")
        probe.set_contacts(positions=np.array(self.contacts), shapes="circle")
        return probe


def find_device(device: str | Contacts | None) -> Device | None:
    """Device of a name; contacts and None are returned as they are.

    Raises
    ------
    UnknownName
        If no device has this name.
    """
    return _instance(DEVICES[device]) if isinstance(device, str) else device


@cache
def _instance(device: type[Device]) -> Device:
    return device()


@cache
def contact_positions(device: Device) -> jt.Float[np.ndarray, "contact 2"]:
    """Positions of a device's contacts relative to their centre, in um."""
    probe = device.geometry()
    assert probe is not None
    where = np.asarray(probe.contact_positions, dtype=np.float64)
    found: np.ndarray = where - (where.max(0) + where.min(0)) / 2
    return found


def probeinterface_json(device: str | Contacts | None) -> str | None:
    """Contacts of a device in the JSON format of probeinterface; None without contacts."""
    found = find_device(device)
    probe = None if found is None else found.geometry()
    if probe is None:
        return None
    whole = {
        "specification": "probeinterface",
        "version": probeinterface.__version__,
        "probes": [probe.to_dict(array_as_list=True)],
    }
    return json.dumps(whole)
