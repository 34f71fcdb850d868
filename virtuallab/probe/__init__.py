"""Probes: recording designs, what they record of a subject, and the statistics made of it."""

from virtuallab.probe.device import Contacts, Device
from virtuallab.probe.implant import Implant
from virtuallab.probe.noise.calcium import Calcium
from virtuallab.probe.noise.gaussian import Noise
from virtuallab.probe.noise.spikes import Spikes
from virtuallab.probe.preparation import PreparationLike
from virtuallab.probe.probe import Probe
from virtuallab.probe.schedule import Series

__all__ = [
    "Calcium",
    "Contacts",
    "Device",
    "Implant",
    "Noise",
    "PreparationLike",
    "Probe",
    "Series",
    "Spikes",
]
