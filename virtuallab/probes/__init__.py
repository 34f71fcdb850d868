"""Probes: recording designs, what they record of a subject, and the statistics made of it."""

from virtuallab.probes.device import Contacts, Device, Presets
from virtuallab.probes.implant import Implant
from virtuallab.probes.noise.models.gaussian import GaussianNoise
from virtuallab.probes.noise.noise_model import NoiseModel
from virtuallab.probes.preparation import PreparationLike
from virtuallab.probes.probe import Probe
from virtuallab.probes.readouts.indicator import Indicator
from virtuallab.probes.readouts.indicators.calcium import Calcium
from virtuallab.probes.readouts.spikes import Spikes
from virtuallab.probes.schedule import Series
from virtuallab.probes.statistics.statistic import Statistic

__all__ = [
    "Calcium",
    "Contacts",
    "Device",
    "GaussianNoise",
    "Implant",
    "Indicator",
    "NoiseModel",
    "PreparationLike",
    "Presets",
    "Probe",
    "Series",
    "Spikes",
    "Statistic",
]
