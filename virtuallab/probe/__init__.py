"""The probes: which units, when, shown what, how noisily; and what is made of what they see."""

from virtuallab.probe.features import features
from virtuallab.probe.probe import Implant, Probe
from virtuallab.probe.tissue import Tissue

__all__ = ["Implant", "Probe", "Tissue", "features"]
