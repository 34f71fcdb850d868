"""Conformance check of recording devices."""

from __future__ import annotations

import json
from typing import get_args

import numpy as np
import xarray as xr
from pydantic import ValidationError

from virtuallab.probes.device import Device, Placement, Presets, contact_positions
from virtuallab.probes.insertion import InsertedDevice, insert, units_per_device
from virtuallab.probes.probe import Probe
from virtuallab.probes.statistics.features import features
from virtuallab.probes.tissue_geometry import DEPTH, FARTHEST, NEAREST, SIDE
from virtuallab.protocol.messages.explain import faults_of
from virtuallab.protocol.settings.plugin_spec import plain
from virtuallab.protocol.settings.readers import adapter
from virtuallab.registry import DEVICES
from virtuallab.testing.planted_preparation import (
    MAPS,
    STIMULI,
    SYNAPSES,
    UNITS,
    VISITS,
    planted_preparation,
)
from virtuallab.testing.plugin import broken, plugin_instance
from virtuallab.vocabulary import ACTIVITY


def check_device(device: str | type[Device] | Device) -> None:
    """Check that a device can be named by a probe, implanted and recorded.

    Its presets are values that a protocol may write, and together a design that can be recorded.
    Its contacts lie in one plane, in um, within the simulated volume, and are the same at each
    call. Its pick-up radius is one at which spikes are detected. It isolates no more units than it
    has contacts, unless contacts are shared, and no more than there are neurons within reach. How
    many units it finds does not depend on where it is inserted, and the same random stream gives
    the same recording, from which features are computed.

    Parameters
    ----------
    device : str, type or Device
        A registered name, a class, or an instance.

    Raises
    ------
    AssertionError
        With what the device breaks.
    """
    found = plugin_instance(device, DEVICES, Device)
    _check_presets(found)
    _check_geometry(found)
    _check_recording(found)


def _check_presets(device: Device) -> None:
    if not isinstance(device.presets, Presets):
        _broken(device, f"has presets of the type {type(device.presets).__name__}")
    try:
        adapter(Probe).validate_python(plain(device.presets.given()))
    except ValidationError as error:
        [(place, message), *_] = faults_of(error)
        _broken(device, f"has a preset {'.'.join(map(str, place))} that is refused: {message}")


def _check_geometry(device: Device) -> None:
    if device.placement not in get_args(Placement):
        _broken(device, f"has the placement {device.placement!r}")
    probe = device.geometry()
    if (probe is None) != (device.units == 0):
        contacts = "no contacts" if probe is None else "contacts"
        _broken(device, f"separates {device.units} units and has {contacts}")
    if probe is None:
        return
    if not NEAREST <= device.radius <= FARTHEST:
        _broken(
            device,
            f"has a pick-up radius of {device.radius:g} um; it is {NEAREST:g} to {FARTHEST:g} um",
        )
    if probe.si_units != "um" or probe.ndim != 2:
        _broken(
            device, f"has contacts in {probe.si_units} and {probe.ndim} dimensions; use um and 2"
        )
    positions = contact_positions(device)
    if not np.isfinite(positions).all():
        _broken(device, "has contacts at positions that are not finite")
    size = np.ptp(positions, axis=0)
    if device.placement == "within" and (size > SIDE).any():
        _broken(device, f"is larger than the tissue of {SIDE:g} um: {size.max():g} um")
    if device.placement == "through" and (abs(positions[:, 1]) > DEPTH / 2).all():
        _broken(device, f"has no contact within the {DEPTH:g} um of the tissue's depth")
    again = device.geometry()
    if again is None or not np.array_equal(again.contact_positions, probe.contact_positions):
        _broken(device, "has other contacts at each call of geometry")
    if device.units > len(positions) and not device.shared_contacts:
        _broken(
            device,
            f"isolates {device.units} units with {len(positions)} contacts; set shared_contacts if "
            "a contact may isolate several",
        )
    json.dumps(probe.to_dict(array_as_list=True))  # as a recording keeps them
    _check_places(device)


def _check_places(device: Device) -> None:
    """Where a device is inserted changes neither how many units it finds nor how far away."""
    found = [insert(device, 2, MAPS, list(MAPS), np.random.default_rng(seed)) for seed in range(3)]
    counts = [{layer: len(units) for layer, units in each.items()} for each in found]
    if any(each != counts[0] for each in counts):
        _broken(device, "finds another number of units at another place")
    for seed in range(3):
        stream = np.random.default_rng(seed)
        shifts = np.zeros((1, 1))
        inserted = InsertedDevice(device, device.radius, MAPS, list(MAPS), shifts, seed, stream)
        for layer, count in units_per_device(device, device.units, UNITS, list(MAPS)).items():
            neurons = inserted.find(layer, 0, count, stream)
            if len(np.unique(neurons)) < count:
                _broken(device, f"isolates more units of {layer} than its contacts reach neurons")


def _check_recording(device: Device) -> None:
    if device.name not in DEVICES:
        _broken(device, "is not registered; put @DEVICES.register('...') above its class")
    probe = Probe(device=device.name)
    synapses = dict.fromkeys(UNITS, SYNAPSES)
    for field, message in probe.check(UNITS, synapses, VISITS, STIMULI):
        _broken(device, f"cannot be used without further settings: {field}: {message}")
    first, again = (_recorded(probe) for _ in range(2))
    if not first.identical(again):
        _broken(device, "records something else with the same random stream")
    for name, values in first.data_vars.items():
        if not np.isfinite(values.to_numpy()).all():
            _broken(device, f"records {name} that is not finite")
        if not values.attrs.get("units"):
            _broken(device, f"records {name} without units")
    if ACTIVITY in first and not {"unit_x", "unit_y", "unit_depth"} <= set(first.coords):
        _broken(device, "records units without positions")
    live = features(first)["stat"].notnull()
    if not live.any():
        _broken(device, "gives a recording without features")


def _recorded(probe: Probe) -> xr.Dataset:
    preparation = planted_preparation()
    calibration = probe.calibrate(planted_preparation(9), np.random.default_rng(9))
    implant = probe.implant(preparation, np.random.default_rng(1))
    return implant.record(preparation, np.random.default_rng(2), calibration)


def _broken(device: Device, what: str) -> None:
    broken("device", device, what)
