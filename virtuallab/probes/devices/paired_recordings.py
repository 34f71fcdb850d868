"""Paired intracellular recordings."""

from __future__ import annotations

from virtuallab.probes.device import Device, Presets
from virtuallab.probes.noise.models.gaussian import GaussianNoise
from virtuallab.registry import DEVICES
from virtuallab.vocabulary import WEIGHTS


@DEVICES.register("paired_recordings")
class PairedRecordings(Device):
    """Paired recordings: the strengths of a dozen synapses in each layer, with little noise.

    The preset assumes, in favour of the method, that the same pairs are found again at each visit.

    References
    ----------
    Song et al. 2005, "Highly Nonrandom Features of Synaptic Connectivity in Local Cortical
    Circuits".
    """

    presets = Presets(observables=(WEIGHTS,), synapses_per_layer=12, noise=GaussianNoise(snr=5.0))
