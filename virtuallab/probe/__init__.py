"""The probes: which units, when, shown what, how noisily; and what is made of what they see."""

from virtuallab.probe.calcium import Calcium
from virtuallab.probe.device import Contacts, Device
from virtuallab.probe.implant import Implant
from virtuallab.probe.noise import Noise
from virtuallab.probe.probe import Probe
from virtuallab.probe.schedule import Series
from virtuallab.probe.spikes import Spikes
from virtuallab.probe.tissue import Tissue

__all__ = [
    "Calcium",
    "Contacts",
    "Device",
    "Implant",
    "Noise",
    "Probe",
    "Series",
    "Spikes",
    "Tissue",
]
