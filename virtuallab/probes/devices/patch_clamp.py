"""A patch pipette."""

from __future__ import annotations

import probeinterface

from virtuallab.probes.device import Device, Presets
from virtuallab.probes.noise.models.gaussian import GaussianNoise
from virtuallab.registry import DEVICES
from virtuallab.vocabulary import ACTIVITY


@DEVICES.register("patch_clamp")
class PatchClamp(Device):
    """Patch clamp: one neuron in each layer with little noise, another one at each visit.

    A whole-cell recording lasts an hour, so no neuron is found again. For several pipettes raise
    `insertions`. The pipette touches its neuron: the radius of 20 um (order of magnitude, 10 to 20
    um) is that of a cell body and half its distance to the next.

    References
    ----------
    Hamill et al. 1981, "Improved patch-clamp techniques".
    Perin et al. 2011, "A synaptic organizing principle for cortical neuronal groups": up to twelve
    neurons at once.
    """

    placement = "within"
    units = 1
    radius = 20.0
    presets = Presets(observables=(ACTIVITY,), noise=GaussianNoise(unit_snr=10.0), turnover=1.0)

    def geometry(self) -> probeinterface.Probe:
        """Tip of the pipette."""
        return probeinterface.generate_linear_probe(num_elec=1)
