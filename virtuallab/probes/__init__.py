"""Probes: recording designs, what they record of a subject, and the statistics made of it."""

from virtuallab.probes.device import Contacts, Device
from virtuallab.probes.implant import Implant
from virtuallab.probes.noise.calcium import Calcium
from virtuallab.probes.noise.gaussian import Noise
from virtuallab.probes.noise.spikes import Spikes
from virtuallab.probes.preparation import PreparationLike
from virtuallab.probes.probe import Probe
from virtuallab.probes.schedule import Series

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
