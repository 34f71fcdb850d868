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

    For a drive of several tetrodes raise `insertions`. In the visual cortex of the cat a tetrode
    isolated 5.4 units on average and 9 at most (Gray et al. 1995). The pick-up radius is that of
    :class:`~virtuallab.probes.Device`. A fifth of the units is lost in a day, and none
    returns: whether a neuron is that of the day before can be tested (Tolias et al. 2007), but
    drives are moved, so the share followed differs between laboratories (order of magnitude, 5 to
    50 % lost in a day).

    References
    ----------
    Gray et al. 1995, "Tetrodes markedly improve the reliability and yield of multiple single-unit
    isolation from multi-unit recordings in cat striate cortex": yield.
    Harris et al. 2000, "Accuracy of Tetrode Spike Separation": errors of sorting.
    Tolias et al. 2007, "Recording Chronically From the Same Neurons in Awake, Behaving Primates".
    """

    placement = "within"
    units = 5
    shared_contacts = True
    presets = Presets(
        observables=(ACTIVITY,), spikes=Spikes(missed=0.1, contamination=0.1), daily_loss=0.2
    )

    def geometry(self) -> probeinterface.Probe:
        """Four wires."""
        return probeinterface.generate_tetrode(r=10)
