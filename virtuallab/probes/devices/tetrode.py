"""A tetrode."""

from __future__ import annotations

import probeinterface

from virtuallab.probes.device import Device, Presets
from virtuallab.probes.readouts.spikes import Spikes
from virtuallab.registry import DEVICES
from virtuallab.vocabulary import ACTIVITY


@DEVICES.register("tetrode")
class Tetrode(Device):
    """Tetrode: four wires at one place in each layer, which separate five neurons.

    For a drive of several tetrodes raise `insertions`.

    References
    ----------
    Gray et al. 1995, "Tetrodes markedly improve the reliability and yield of multiple single-unit
    isolation": about five units.
    Harris et al. 2000, "Accuracy of Tetrode Spike Separation": errors of sorting.
    """

    placement = "within"
    units = 5
    presets = Presets(
        observables=(ACTIVITY,), spikes=Spikes(missed=0.1, contamination=0.1), turnover=0.2
    )

    def geometry(self) -> probeinterface.Probe:
        """Four wires."""
        return probeinterface.generate_tetrode(r=10)
